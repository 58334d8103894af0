//! What the demonstration prints: rows, events, and a closing table. Plain text, whatever it is printed on.

use std::io::{self, Stdout, Write};
use std::time::Instant;

/// Width of a text column.
const TEXT: usize = 22;
/// Width of the relay's column.
const RELAY: usize = 45;
/// First bytes of a message that are shown: version, kind and tag of an ordinary one.
const HEAD: usize = 10;

pub struct Screen {
    out: Stdout,
    start: Instant,
}

/// One line of the text on its way.
pub struct Row<'a> {
    pub direction: &'a str,
    pub number: u64,
    pub sent: &'a [u8],
    pub head: &'a [u8],
    pub length: u64,
    pub fate: &'a str,
    pub read: Result<&'a [u8], &'a str>,
}

impl Screen {
    pub fn new(start: Instant) -> Self {
        Self {
            out: io::stdout(),
            start,
        }
    }

    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    pub fn header(&mut self) -> io::Result<()> {
        self.line(&format!(
            "{:>6}  {:<9} {:<TEXT$}  {:<RELAY$}  read",
            "s", "line", "sent", "what the relay saw",
        ))
    }

    pub fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        let head = &row.head[..row.head.len().min(HEAD)];
        let relay = format!("{} {:>4} B {}", hex::encode(head), row.length, row.fate);
        let read = match row.read {
            Ok(content) => column(content),
            Err(instead) => format!("({instead})"),
        };
        self.line(&format!(
            "{:>6.2}  {} {:>5} {:<TEXT$}  {relay:<RELAY$}  {read}",
            self.start.elapsed().as_secs_f64(),
            row.direction,
            row.number,
            column(row.sent),
        ))
    }

    pub fn event(&mut self, text: &str) -> io::Result<()> {
        let time = self.start.elapsed().as_secs_f64();
        self.line(&format!("{time:>6.2}  -- {text}"))
    }

    pub fn table(&mut self, rows: &[(String, [String; 2])]) -> io::Result<()> {
        let name_width = rows.iter().map(|(name, _)| name.chars().count()).max();
        let name_width = name_width.unwrap_or(0);
        for (name, [left, right]) in rows {
            self.line(&format!("{name:<name_width$}  {left:>18}  {right:>18}"))?;
        }
        Ok(())
    }
}

fn column(content: &[u8]) -> String {
    printable(String::from_utf8_lossy(content).trim(), TEXT)
}

/// At most `width` characters, none of which a terminal obeys: what a peer writes is only ever shown.
pub fn printable(text: &str, width: usize) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c| if obeyed(c) { '\u{fffd}' } else { c };
    if text.chars().count() <= width {
        return text.chars().map(shown).collect();
    }
    let cut = text.chars().take(width.saturating_sub(1));
    cut.map(shown).chain(['…']).collect()
}

/// With a comma between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_printed_is_a_command_to_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\u{202e}", 99),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}"
        );
        assert_eq!(printable("abcdef", 6), "abcdef");
        assert_eq!(printable("abcdefg", 6), "abcde…");
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }
}

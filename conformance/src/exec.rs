//! Any program as a target: one JSON request a line on its standard input, one response a line on its output.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::target::{Response, Target};

/// How long a response may take, unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Longest line that is read from a program.
const LINE_MAX: u64 = 1 << 26;

/// A running program.
///
/// After its first failure to answer it is not asked again: every later call fails as well.
pub struct Exec {
    child: Child,
    requests: Sender<String>,
    responses: Receiver<io::Result<String>>,
    timeout: Duration,
    next_id: u64,
    broken: bool,
}

impl Exec {
    /// Starts `command`: a program and its arguments, separated by spaces; quotes `'…'` and `"…"` keep spaces
    /// together. No shell is involved.
    ///
    /// # Errors
    /// A sentence that says why it did not start.
    pub fn start(command: &str, timeout: Duration) -> Result<Self, String> {
        let words = words(command)?;
        let (program, arguments) = words.split_first().ok_or("the command is empty")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|why| format!("{program}: {why}"))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("{program}: it has no standard input and output"));
        };
        // Both ends have a thread of their own: a program that does not read, or does not stop writing, cannot block us.
        let (requests, to_write) = channel();
        let (lines, responses) = sync_channel(1);
        thread::spawn(move || write_requests(stdin, &to_write));
        thread::spawn(move || read_lines(stdout, &lines));
        Ok(Self {
            child,
            requests,
            responses,
            timeout,
            next_id: 0,
            broken: false,
        })
    }

    fn ask(&mut self, op: &str, input: &Map<String, Value>) -> Result<Response, String> {
        let id = self.next_id;
        self.next_id = id.saturating_add(1);
        let request = json!({"id": id, "op": op, "in": input});
        // If the program is gone, waiting for its response says so.
        let _ = self.requests.send(format!("{request}\n"));
        match self.responses.recv_timeout(self.timeout) {
            Ok(Ok(line)) => parse_response(&line, id),
            Ok(Err(why)) => Err(format!("its output cannot be read: {why}")),
            Err(RecvTimeoutError::Timeout) => Err(format!(
                "no response within {} seconds",
                self.timeout.as_secs_f64()
            )),
            Err(RecvTimeoutError::Disconnected) => Err(self.how_it_ended()),
        }
    }

    fn how_it_ended(&mut self) -> String {
        // Its output ended; it is given a moment to end as well.
        for _ in 0..50 {
            match self.child.try_wait() {
                Ok(Some(status)) => return format!("the program ended ({status})"),
                Ok(None) => thread::sleep(Duration::from_millis(10)),
                Err(why) => return format!("the program ended ({why})"),
            }
        }
        "the program closed its output".to_owned()
    }
}

impl Target for Exec {
    fn call(&mut self, op: &str, input: &Map<String, Value>) -> Response {
        if self.broken {
            return Response::NotAsked;
        }
        self.ask(op, input).unwrap_or_else(|why| {
            self.broken = true;
            let _ = self.child.kill();
            Response::Failed(why)
        })
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        if !self.broken {
            // Its input ends, and so should it: what it says at its end is heard.
            let (nobody, _) = channel();
            self.requests = nobody;
            let _ = self.how_it_ended();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write_requests(mut stdin: impl Write, requests: &Receiver<String>) {
    for request in requests {
        if stdin
            .write_all(request.as_bytes())
            .and_then(|()| stdin.flush())
            .is_err()
        {
            return;
        }
    }
}

fn read_lines(stdout: impl Read, lines: &SyncSender<io::Result<String>>) {
    let mut stdout = BufReader::new(stdout);
    loop {
        let mut line = String::new();
        let read = stdout.by_ref().take(LINE_MAX).read_line(&mut line);
        let ended = !matches!(read, Ok(1..));
        let result = match read {
            Ok(0) => return,
            Ok(_) if !line.ends_with('\n') => Err(io::Error::other("a line does not end")),
            Ok(_) => Ok(line),
            Err(why) => Err(why),
        };
        if lines.send(result).is_err() || ended {
            return;
        }
    }
}

fn parse_response(line: &str, id: u64) -> Result<Response, String> {
    let mut fields: Map<String, Value> = serde_json::from_str(line)
        .map_err(|why| format!("its response is no JSON object: {why}"))?;
    let found = fields.remove("id");
    if found != Some(json!(id)) {
        return Err(format!(
            "its response has the id {found:?} in place of {id}"
        ));
    }
    let trace = fields.remove("trace");
    let mut fields = fields.into_iter();
    let (kind, value) = fields.next().ok_or("its response says nothing")?;
    if let Some((other, _)) = fields.next() {
        return Err(format!("its response has both {kind:?} and {other:?}"));
    }
    match (kind.as_str(), value, trace) {
        ("out", Value::Object(out), None) => Ok(Response::Out {
            out,
            trace: Map::new(),
        }),
        ("out", Value::Object(out), Some(Value::Object(trace))) => Ok(Response::Out { out, trace }),
        ("error", Value::String(name), None) => Ok(Response::Error(name)),
        ("unsupported", Value::Bool(true), None) => Ok(Response::Unsupported),
        ("invalid", Value::String(why), None) => Ok(Response::Invalid(why)),
        _ => Err(format!("its response has a {kind:?} that is none")),
    }
}

/// The line protocol from the other side: answers every request by `target`, until the input ends.
///
/// # Errors
/// That the input or the output failed.
pub fn serve(
    target: &mut dyn Target,
    requests: impl BufRead,
    mut responses: impl Write,
) -> io::Result<()> {
    for line in requests.lines() {
        let line = line?;
        writeln!(responses, "{}", answer(target, &line))?;
        responses.flush()?;
    }
    Ok(())
}

fn answer(target: &mut dyn Target, line: &str) -> Value {
    let request: Value = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(why) => return json!({"id": null, "invalid": format!("the request is no JSON: {why}")}),
    };
    let id = request.get("id").cloned().unwrap_or_default();
    let (Some(op), Some(input)) = (
        request.get("op").and_then(Value::as_str),
        request.get("in").and_then(Value::as_object),
    ) else {
        return json!({"id": id, "invalid": "the request has no operation or no input"});
    };
    let mut answer = Map::from_iter([("id".to_owned(), id)]);
    answer.extend(target.call(op, input).fields());
    Value::Object(answer)
}

/// Splits a command at spaces outside quotes.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in command.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("the command has a quote that does not end".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_at_spaces_outside_quotes() {
        assert_eq!(words("  a  b c ").unwrap(), ["a", "b", "c"]);
        assert_eq!(
            words("sh -c 'x \"y\"  z' \"\"").unwrap(),
            ["sh", "-c", "x \"y\"  z", ""]
        );
        assert!(words("a 'b").is_err());
        assert!(words("").unwrap().is_empty());
    }

    #[test]
    fn a_response_is_exactly_one_answer_to_its_request() {
        let parsed = |line| parse_response(line, 7);
        assert!(matches!(
            parsed(r#"{"id":7,"out":{}}"#),
            Ok(Response::Out { .. })
        ));
        assert_eq!(
            parsed(r#"{"id":7,"error":"Length"}"#),
            Ok(Response::Error("Length".into()))
        );
        assert_eq!(
            parsed(r#"{"id":7,"unsupported":true}"#),
            Ok(Response::Unsupported)
        );
        assert_eq!(
            parsed(r#"{"id":7,"invalid":"no"}"#),
            Ok(Response::Invalid("no".into()))
        );
        for line in [
            "",
            "x",
            "[]",
            "{}",
            r#"{"id":7}"#,
            r#"{"id":8,"out":{}}"#,
            r#"{"out":{}}"#,
            r#"{"id":7,"out":{},"error":"Length"}"#,
            r#"{"id":7,"out":3}"#,
            r#"{"id":7,"unsupported":false}"#,
            r#"{"id":7,"error":"Length","trace":{}}"#,
            r#"{"id":7,"other":1}"#,
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}

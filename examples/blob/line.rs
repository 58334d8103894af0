//! A descriptor as a line of text.

use std::io::{self, Write};

use subrosa::file::Descriptor;

use crate::Result;

/// What stands in front of the hex.
const PREFIX: &str = "subrosa-blob:";

/// The line that a descriptor is.
pub fn of(descriptor: &Descriptor) -> Result<String> {
    let bytes = descriptor.to_bytes()?;
    Ok(format!("{PREFIX}{}", hex::encode(&*bytes)))
}

/// The descriptor that a line is.
pub fn descriptor(line: &str) -> Result<Descriptor> {
    let line = text(line)?;
    let encoded = line.strip_prefix(PREFIX);
    let encoded = encoded.ok_or_else(|| format!("a descriptor begins with `{PREFIX}`"))?;
    Ok(Descriptor::parse(&hex::decode(encoded)?)?)
}

/// The text that an argument is, or, for `-`, the first line of the standard input.
pub fn text(argument: &str) -> io::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// Prints a line, and has it gone before anything else happens.
pub fn print(out: &mut impl Write, line: &str) -> Result<()> {
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

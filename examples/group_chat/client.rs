//! A connection to the delivery service.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use subrosa::Address;
use subrosa::device::{GroupContent, GroupId, GroupSent, PublishedKeyPackages};
use subrosa::identity::AccountId;

use crate::Result;

pub struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Taken,
    /// Another commit was taken before.
    Late,
}

fn hex_of(address: &Address) -> String {
    hex::encode(address.as_bytes())
}

fn account_of(address: &Address) -> Result<AccountId> {
    let (account, _) = AccountId::of(address).ok_or("not the address of a device")?;
    Ok(account)
}

impl Client {
    pub fn connect(address: &str) -> Result<Self> {
        let writer = TcpStream::connect(address)?;
        writer.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(writer.try_clone()?),
            writer,
        })
    }

    fn ask(&mut self, request: &str) -> Result<String> {
        writeln!(self.writer, "{request}")?;
        let mut answer = String::new();
        self.reader.read_line(&mut answer)?;
        match answer.trim_end() {
            "no" => Err(format!("the service refuses: {request:.60}").into()),
            answer => Ok(answer.to_owned()),
        }
    }

    fn ask_bytes(&mut self, request: &str) -> Result<Vec<Vec<u8>>> {
        let answer = self.ask(request)?;
        let words = answer.split(' ').filter(|word| !word.is_empty());
        Ok(words
            .map(hex::decode)
            .collect::<std::result::Result<_, _>>()?)
    }

    pub fn name(&mut self, name: &str, address: &Address) -> Result<()> {
        self.ask(&format!("name {name} {}", hex_of(address)))?;
        Ok(())
    }

    /// The device with a name. Whose name it is, its user is told by other ways.
    pub fn find(&mut self, name: &str) -> Result<Address> {
        let answer = self.ask(&format!("find {name}"))?;
        Ok(Address::new(&hex::decode(answer)?)?)
    }

    pub fn who(&mut self, address: &Address) -> Result<String> {
        self.ask(&format!("who {}", hex_of(address)))
    }

    pub fn publish_list(&mut self, address: &Address, list: &[u8]) -> Result<()> {
        let account = hex::encode(account_of(address)?.as_bytes());
        self.ask(&format!("list {account} {}", hex::encode(list)))?;
        Ok(())
    }

    /// The account's lists above a version.
    pub fn lists(&mut self, account: &AccountId, above: u64) -> Result<Vec<Vec<u8>>> {
        let account = hex::encode(account.as_bytes());
        self.ask_bytes(&format!("lists {account} {above}"))
    }

    /// Publishes key packages; how many the service then has that are used once.
    pub fn publish(&mut self, address: &Address, packages: &PublishedKeyPackages) -> Result<usize> {
        let last_resort = packages.last_resort.as_ref();
        let mut request = format!(
            "packages {} {}",
            hex_of(address),
            last_resort.map_or_else(|| "-".to_owned(), hex::encode)
        );
        for package in &packages.one_time {
            request.push(' ');
            request.push_str(&hex::encode(package));
        }
        Ok(self.ask(&request)?.parse()?)
    }

    pub fn key_package(&mut self, address: &Address) -> Result<Vec<u8>> {
        let mut packages = self.ask_bytes(&format!("package {}", hex_of(address)))?;
        Ok(packages.pop().ok_or("the device has published nothing")?)
    }

    pub fn found(&mut self, group: &GroupId, address: &Address) -> Result<()> {
        let group = hex::encode(group.as_bytes());
        self.ask(&format!("found {group} {}", hex_of(address)))?;
        Ok(())
    }

    /// Hands a message of the outbox in.
    pub fn send(&mut self, sent: &GroupSent) -> Result<Fate> {
        let (group, message) = (
            hex::encode(sent.group.as_bytes()),
            hex::encode(&sent.message),
        );
        let GroupContent::Commit { welcome, added } = &sent.content else {
            self.ask(&format!("post {group} {message}"))?;
            return Ok(Fate::Taken);
        };
        let welcome = welcome.as_ref().map_or_else(|| "-".to_owned(), hex::encode);
        let mut request = format!("commit {group} {message} {welcome}");
        for address in added {
            request.push(' ');
            request.push_str(&hex_of(address));
        }
        Ok(match self.ask(&request)?.as_str() {
            "taken" => Fate::Taken,
            _ => Fate::Late,
        })
    }

    /// Who is no member any more.
    pub fn gone(&mut self, group: &GroupId, gone: &[Address]) -> Result<()> {
        let mut request = format!("gone {}", hex::encode(group.as_bytes()));
        for address in gone {
            request.push(' ');
            request.push_str(&hex_of(address));
        }
        self.ask(&request)?;
        Ok(())
    }

    pub fn poll(&mut self, address: &Address) -> Result<Vec<Vec<u8>>> {
        self.ask_bytes(&format!("poll {}", hex_of(address)))
    }

    /// The first so many of what was polled are dealt with.
    pub fn dealt(&mut self, address: &Address, count: usize) -> Result<()> {
        self.ask(&format!("dealt {} {count}", hex_of(address)))?;
        Ok(())
    }
}

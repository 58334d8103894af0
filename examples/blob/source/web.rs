//! A server, asked over HTTP.

use std::io::Read;
use std::ops::Range;
use std::time::Duration;

use subrosa::file::pack::limits::SEALED_MAX;
use ureq::Agent;
use ureq::http::header::{CONTENT_RANGE, RANGE};

use super::{Source, at_most, exactly};
use crate::Result;
use crate::folder::{Kind, Name};

/// A server that keeps such a folder.
pub struct Web {
    agent: Agent,
    /// Without a slash at the end.
    address: String,
}

impl Web {
    pub fn new(address: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(Duration::from_secs(10)))
            .timeout_recv_response(Some(Duration::from_secs(30)))
            .timeout_recv_body(Some(Duration::from_secs(60)))
            .build();
        Self {
            agent: config.into(),
            address: address.trim_end_matches('/').to_owned(),
        }
    }

    /// What the server answers, with this status or not at all.
    fn get(&self, path: &str, range: Option<&Range<u64>>, status: u16) -> Result<impl Read> {
        let mut request = self.agent.get(format!("{}/{path}", self.address));
        let mut wanted = None;
        if let Some(range) = range {
            let places = format!("{}-{}", range.start, range.end - 1);
            request = request.header(RANGE, format!("bytes={places}"));
            wanted = Some(format!("bytes {places}/"));
        }
        let response = request.call()?;
        if response.status() != status {
            return Err(format!("the server answers {} for {path}", response.status()).into());
        }
        let given = response.headers().get(CONTENT_RANGE);
        let given = given.and_then(|given| given.to_str().ok());
        match wanted {
            Some(wanted) if !given.is_some_and(|given| given.starts_with(&wanted)) => {
                Err(format!("the server gives other bytes of {path}").into())
            }
            _ => Ok(response.into_body().into_reader()),
        }
    }
}

impl Source for Web {
    fn blob(&self, id: &[u8; 32], place: &Range<u64>, into: &mut Vec<u8>) -> Result<()> {
        let path = Name::new(id, Kind::Blob).to_text();
        let body = self.get(&path, Some(place), 206)?;
        exactly(body, place.end - place.start, into)
    }

    fn proof(&self, id: &[u8; 32], leaves: &Range<u64>, length: usize) -> Result<Vec<u8>> {
        let path = format!("{}/proof/{}-{}", hex::encode(id), leaves.start, leaves.end);
        let mut proof = Vec::new();
        exactly(self.get(&path, None, 200)?, length as u64, &mut proof)?;
        Ok(proof)
    }

    fn pack(&self, id: &[u8; 32]) -> Result<Vec<u8>> {
        let path = Name::new(id, Kind::Pack).to_text();
        at_most(self.get(&path, None, 200)?, SEALED_MAX)
    }
}

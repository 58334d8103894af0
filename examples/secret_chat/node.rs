//! A peer with its connection and its user: the loop that hands in what is there, and releases what comes of it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::Result;
use crate::limits::{BATCH, BATCH_EVENTS, IDLE, LINE_MAX, RECONNECT};
use crate::link::Packet;
use crate::peer::{Now, Peer, Release};
use crate::records::Record;

/// The side of the user.
pub trait Front {
    /// A line of the standard input.
    fn input(&mut self, line: Vec<u8>, peer: &mut Peer) -> Result<()>;

    /// The standard input has ended.
    fn end_of_input(&mut self) -> Result<()>;

    /// Called in every round, before anything is sealed.
    fn feed(&mut self, peer: &mut Peer) -> Result<()>;

    /// Something has happened.
    fn show(&mut self, record: Record, peer: &mut Peer) -> Result<()>;

    /// All that there was to be shown in a round was; only then anything is sent.
    fn shown(&mut self, peer: &Peer) -> Result<()>;

    /// Whether to end.
    fn is_over(&mut self, peer: &Peer) -> bool;
}

/// What a node waits for.
pub enum Event {
    Online(TcpStream),
    Packet(Packet),
    Offline,
    Input(Vec<u8>),
    EndOfInput,
}

pub struct Node {
    pub peer: Peer,
    events: Receiver<Event>,
    stream: Option<TcpStream>,
}

impl Node {
    /// Connects to `relay`, and again whenever the connection is lost.
    pub fn new(peer: Peer, relay: String) -> Self {
        let (sender, events) = channel();
        let for_input = sender.clone();
        thread::spawn(move || stay_connected(&relay, &sender));
        thread::spawn(move || read_input(&for_input));
        Self {
            peer,
            events,
            stream: None,
        }
    }

    /// Runs until the user's side is over.
    pub fn run(&mut self, front: &mut impl Front) -> Result<()> {
        let mut last_event = Instant::now();
        loop {
            let soon = self.peer.is_busy() && last_event.elapsed() < 10 * IDLE;
            let batch = self.batch(if soon { BATCH } else { IDLE });
            let idle = batch.is_empty();
            if !idle {
                last_event = Instant::now();
            }
            let now = Now::read();
            for event in batch {
                self.take(event, front, now)?;
            }
            front.feed(&mut self.peer)?;
            self.peer.work(now)?;
            let over = front.is_over(&self.peer);
            if idle || over {
                self.peer.tidy(0)?;
            }
            self.release(front)?;
            if over {
                return Ok(());
            }
        }
    }

    /// Waits for one event, then collects what comes within [`BATCH`].
    fn batch(&self, wait: Duration) -> Vec<Event> {
        let mut batch = Vec::new();
        let mut deadline = Instant::now() + wait;
        while batch.len() < BATCH_EVENTS {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => batch.push(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
            if batch.len() == 1 {
                deadline = Instant::now() + BATCH;
            }
        }
        batch
    }

    fn take(&mut self, event: Event, front: &mut impl Front, now: Now) -> Result<()> {
        match event {
            Event::Online(stream) => {
                self.stream = Some(stream);
                self.peer.connected();
            }
            Event::Packet(packet) => self.peer.receive(packet, now)?,
            Event::Offline => {
                self.stream = None;
                self.peer.disconnected();
            }
            Event::Input(line) => front.input(line, &mut self.peer)?,
            Event::EndOfInput => front.end_of_input()?,
        }
        Ok(())
    }

    /// All of it is stored: what is sent is in the outbox, and what is shown in the inbox.
    fn release(&mut self, front: &mut impl Front) -> Result<()> {
        let mut outgoing = Vec::new();
        for release in self.peer.releases() {
            match release {
                Release::Show(record) => front.show(record, &mut self.peer)?,
                Release::Send(packet) => packet.write(&mut outgoing)?,
            }
        }
        front.shown(&self.peer)?;
        if let Some(stream) = &mut self.stream
            && stream.write_all(&outgoing).is_err()
        {
            // The thread that reads from it finds out as well, and connects anew.
            self.stream = None;
        }
        Ok(())
    }
}

fn stay_connected(relay: &str, events: &Sender<Event>) {
    loop {
        if let Ok(stream) = TcpStream::connect(relay) {
            // However it ended, it ended.
            let _ = read_packets(stream, events);
        }
        if events.send(Event::Offline).is_err() {
            return;
        }
        thread::sleep(RECONNECT);
    }
}

fn read_packets(stream: TcpStream, events: &Sender<Event>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    events.send(Event::Online(stream))?;
    while let Some(packet) = Packet::read(&mut reader)? {
        events.send(Event::Packet(packet))?;
    }
    Ok(())
}

fn read_input(events: &Sender<Event>) {
    let mut input = io::stdin().lock();
    while let Ok(Some(line)) = read_line(&mut input) {
        if events.send(Event::Input(line)).is_err() {
            return;
        }
    }
    let _ = events.send(Event::EndOfInput);
}

/// The next line without its end, in pieces if it is very long; `None` at the end of the input.
fn read_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let most = u64::try_from(LINE_MAX).unwrap_or(u64::MAX);
    if io::Read::take(input, most).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok(Some(line))
}

//! A server for one test: it sends raw answers, one for each connection, and keeps the heads of the requests.
//!
//! For what moto can't do: connections that break, hosts that name other hosts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A running server.
pub(crate) struct TestServer {
    /// `127.0.0.1:PORT`
    pub(crate) address: String,
    /// Returns the requests' heads in lower case, once all answers were given.
    pub(crate) heads: JoinHandle<Vec<String>>,
}

impl TestServer {
    /// Sends these answers, one after the other.
    pub(crate) fn start(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serve = move |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let head = read_request(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
            head
        };
        Self { address, heads: thread::spawn(move || answers.into_iter().map(serve).collect()) }
    }
}

/// An answer that declares `length` bytes of body.
pub(crate) fn answer(status: &str, length: usize, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nETag: \"e\"\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The head; the body too is read: what is left unread when the connection closes would reset it.
fn read_request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let lines = reader.by_ref().lines().map(|line| line.unwrap().to_lowercase());
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    reader.read_exact(&mut vec![0; length.map_or(0, |length| length.parse().unwrap())]).unwrap();
    head.join("\n")
}

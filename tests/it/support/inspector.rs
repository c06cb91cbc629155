//! A debugger for Node.js, as far as a test needs one: JSON commands over a WebSocket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

/// An attached debugger.
pub(crate) struct Inspector {
    stream: BufReader<TcpStream>,
    last: u64,
}

impl Inspector {
    /// Attaches to the process that listens on `port`.
    pub(crate) fn attach(port: u16) -> Self {
        let mut list = connect(port);
        write!(list.get_mut(), "GET /json HTTP/1.1\r\n\r\n").unwrap();
        let head = read_head(&mut list);
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let mut targets = vec![0; length.unwrap().parse().unwrap()];
        list.read_exact(&mut targets).unwrap();
        let targets: Value = serde_json::from_slice(&targets).unwrap();
        let mut stream = connect(port);
        write!(
            stream.get_mut(),
            "GET /{} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            targets[0]["id"].as_str().unwrap()
        )
        .unwrap();
        assert!(read_head(&mut stream).starts_with("HTTP/1.1 101"));
        Self { stream, last: 0 }
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn command(&mut self, method: &str) {
        self.last += 1;
        let text = json!({ "id": self.last, "method": method }).to_string();
        let length = u8::try_from(text.len()).unwrap();
        assert!(length < 126, "a short frame");
        // Text, final, masked with zeros.
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend(text.bytes());
        self.stream.get_mut().write_all(&frame).unwrap();
        let id = json!(self.last);
        self.wait(|message| message["id"] == id);
    }

    /// Waits for an event.
    pub(crate) fn event(&mut self, method: &str) {
        self.wait(|message| message["method"] == method);
    }

    fn wait(&mut self, wanted: impl Fn(&Value) -> bool) {
        while !wanted(&self.message()) {}
    }

    fn message(&mut self) -> Value {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).unwrap();
        let extended = match head[1] & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mut length = [0; 8];
        self.stream.read_exact(&mut length[8 - extended..]).unwrap();
        let length = match extended {
            0 => usize::from(head[1] & 0x7f),
            _ => usize::try_from(u64::from_be_bytes(length)).unwrap(),
        };
        let mut text = vec![0; length];
        self.stream.read_exact(&mut text).unwrap();
        serde_json::from_slice(&text).unwrap()
    }
}

/// The lines before the body.
fn read_head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "{head}");
    }
    head
}

fn connect(port: u16) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).unwrap();
    BufReader::new(stream)
}

//! A small server on the loopback interface that behaves as a test tells it to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Answers with a status, further header lines and a body.
    Answer(u16, &'static str, &'static str),
    /// Waits before it answers 201.
    Slow(Duration),
    /// Answers by halves and closes the connection.
    Half,
    /// Answers with what is no HTTP.
    Garbage,
    /// Closes the connection without an answer, with a reset where the system can.
    Reset,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A running server; its threads end with the test's process.
pub(crate) struct Server {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Request>>>,
    seen: Arc<Mutex<u64>>,
}

impl Server {
    /// Starts a server; `behave` gets the number of the request, from 0.
    pub(crate) fn start(behave: impl Fn(u64) -> Behaviour + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let (taken, seen) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let (requests, count, behave) = (Arc::clone(&taken), Arc::clone(&seen), Arc::new(behave));
        std::thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (requests, count, behave) = (Arc::clone(&requests), Arc::clone(&count), Arc::clone(&behave));
                std::thread::spawn(move || serve(stream, &requests, &count, &*behave));
            }
        });
        Ok(Self { url, taken, seen })
    }

    /// Returns the requests that were answered with 2xx.
    pub(crate) fn taken(&self) -> Vec<Request> {
        self.taken.lock().expect("no thread panics").clone()
    }

    /// Returns the number of requests that came in.
    pub(crate) fn seen(&self) -> u64 {
        *self.seen.lock().expect("no thread panics")
    }
}

fn serve(
    mut stream: TcpStream,
    taken: &Mutex<Vec<Request>>,
    seen: &Mutex<u64>,
    behave: &(dyn Fn(u64) -> Behaviour + Send + Sync),
) {
    let Ok(reading) = stream.try_clone() else { return };
    let mut reader = BufReader::new(reading);
    while let Some(request) = request(&mut reader) {
        let number = {
            let mut seen = seen.lock().expect("no thread panics");
            *seen += 1;
            *seen - 1
        };
        let (status, headers, body) = match behave(number) {
            Behaviour::Answer(status, headers, body) => (status, headers, body),
            Behaviour::Slow(pause) => {
                std::thread::sleep(pause);
                (201, "", "")
            }
            Behaviour::Half => {
                let _ = stream.write_all(b"HTTP/1.1 201 Cre");
                return;
            }
            Behaviour::Garbage => {
                let _ = stream.write_all(b"\x00\xffno HTTP at all\r\n\r\n");
                return;
            }
            Behaviour::Reset => return,
        };
        if (200..300).contains(&status) {
            taken.lock().expect("no thread panics").push(request);
        }
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|value| value == "chunked") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    } else {
        let length = headers.get("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
        body.resize(length, 0);
        reader.read_exact(&mut body).ok()?;
    }
    Some(Request { path, headers, body })
}

//! Servers under load: all of them live, and loaded in turn.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use rustix::thread::{CpuSet, sched_setaffinity};

use crate::Failure;
use crate::server::{Usage, Watcher};

/// What one server did in one round.
#[derive(Clone, Copy, Debug)]
pub struct Round {
    pub per_second: f64,
    /// Latency that half of all requests stay below, and 99 in a hundred, in microseconds.
    pub p50: f64,
    pub p99: f64,
    /// Processor time of the server for each request, in nanoseconds.
    pub nanos: f64,
    /// Envelopes for each thousand requests, and bytes for each request.
    pub envelopes: f64,
    pub bytes: f64,
}

/// A server in a process of its own, which ends with this value.
pub struct Server {
    process: Child,
    port: u16,
}

/// What a cart asks for besides its receipt: how many products are considered for a recommendation.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub name: &'static str,
    pub consider: u32,
}

/// What the servers did with one kind of work, round by round.
pub struct Load {
    pub work: Work,
    pub rounds: Vec<[Round; 4]>,
}

/// A server for each watcher, in the order of [`Watcher::ALL`], on a core of their own.
pub struct Servers([Server; 4]);

impl Servers {
    pub fn start() -> Result<Self, Failure> {
        if std::thread::available_parallelism()?.get() < 2 {
            return Err("server and generator need a core each".into());
        }
        Command::new("wrk")
            .arg("--version")
            .output()
            .map_err(|error| format!("wrk does not run ({error}): install it"))?;
        stay_on(SERVER_CORE)?;
        let start =
            |watcher| Server::start(Command::new(std::env::current_exe()?).args(["serve", &Watcher::word(watcher)]));
        let servers = Watcher::ALL.map(start).into_iter().collect::<Result<Vec<Server>, Failure>>()?;
        stay_on(GENERATOR_CORE)?;
        Ok(Self(servers.try_into().map_err(|_| "four")?))
    }

    /// Loads each server once in each round; for each round what they did, in their order.
    pub fn rounds(&self, rounds: usize, work: Work) -> Result<Load, Failure> {
        let Self(servers) = self;
        servers.iter().try_for_each(|server| server.load(1, work).map(drop))?;
        let rounds = (0..rounds)
            .map(|round| {
                eprintln!("{}: round {} of {rounds}", work.name, round + 1);
                let mut all = [None; 4];
                // Not always in the same order.
                for place in 0..4 {
                    let which = (place + round) % 4;
                    all[which] = Some(servers[which].load(SECONDS, work)?);
                }
                all.into_iter().collect::<Option<Vec<Round>>>().and_then(|all| all.try_into().ok()).ok_or("four".into())
            })
            .collect::<Result<_, Failure>>()?;
        Ok(Load { work, rounds })
    }
}

/// Keeps this thread, and the processes that it starts from now on, on one core.
fn stay_on(core: usize) -> Result<(), Failure> {
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

impl Server {
    /// Starts a server, and waits until it listens.
    pub fn start(command: &mut Command) -> Result<Self, Failure> {
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().ok_or("it has an output")?).read_line(&mut line)?;
        let port = line.trim().parse().map_err(|_| format!("the server said {line:?}, not where it listens"))?;
        Ok(Self { process, port })
    }

    fn load(&self, seconds: u64, work: Work) -> Result<Round, Failure> {
        let before = self.usage()?;
        let output = Command::new("wrk")
            .args(["--threads=1", &format!("--connections={CONNECTIONS}"), &format!("--duration={seconds}s")])
            .args(["--script", concat!(env!("CARGO_MANIFEST_DIR"), "/load.lua")])
            .arg(format!("http://127.0.0.1:{}", self.port))
            .args(["--", &work.consider.to_string()])
            .output()?;
        let after = self.usage()?;
        let said = String::from_utf8(output.stdout)?;
        let numbers = said.lines().find_map(|line| line.strip_prefix("result ")).ok_or("wrk said no result")?;
        let numbers: Vec<f64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [requests, micros, p50, p99, 0.0] = numbers[..] else {
            return Err(format!("requests failed: {said}").into());
        };
        Ok(Round {
            per_second: requests / micros * 1e6,
            p50,
            p99,
            nanos: (after.nanos - before.nanos) as f64 / requests,
            envelopes: (after.envelopes - before.envelopes) as f64 / requests * 1_000.0,
            bytes: (after.bytes - before.bytes) as f64 / requests,
        })
    }

    pub fn usage(&self) -> Result<Usage, Failure> {
        let mut connection = self.connect()?;
        Ok(serde_json::from_slice(&ask(&mut connection, "GET", "/usage", "")?)?)
    }

    pub fn connect(&self) -> Result<TcpStream, Failure> {
        Ok(TcpStream::connect(("127.0.0.1", self.port))?)
    }

    /// Asks the server to stop, and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        // The answer may not come any more.
        _ = ask(&mut self.connect()?, "GET", "/stop", "");
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Sends one request over a connection that stays, and reads the body of the answer.
pub fn ask(connection: &mut TcpStream, method: &str, path: &str, body: &str) -> Result<Vec<u8>, Failure> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    connection.write_all((head + body).as_bytes())?;
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err("the server hung up".into());
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse()?,
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// The shortest request is all overhead, the kernel's and the framework's; the other does some work of its own.
pub const WORK: [Work; 2] =
    [Work { name: "a short request", consider: 100 }, Work { name: "a longer request", consider: 1_500 }];

const SERVER_CORE: usize = 0;
const GENERATOR_CORE: usize = 1;
/// So many that the server is never without work; each has a request under way.
const CONNECTIONS: usize = 64;
const SECONDS: u64 = 2;

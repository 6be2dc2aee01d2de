//! The built program as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A server that runs; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    /// The three lines of the start.
    pub(crate) lines: Vec<String>,
    /// The URL from the first line.
    pub(crate) url: String,
}

/// A command of the program in a clean environment.
pub(crate) fn tidemill(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Running {
    /// Starts a server on a free port.
    pub(crate) fn start(data: &Path) -> Self {
        let data = data.to_str().expect("a UTF-8 path");
        Self::spawn(tidemill(&["serve", "--data", data, "--http", "127.0.0.1:0", "--ssh", "off"]))
    }

    /// Starts a server by a prepared command.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::null()).spawn().expect("the program starts");
        let mut reader = BufReader::new(child.stdout.take().expect("its output"));
        let mut lines = vec![];
        for _ in 0..3 {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a line");
            lines.push(line.trim_end().to_owned());
        }
        let url = lines[0].rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(url.starts_with("http://"), "{lines:?}");
        Self { child, lines, url }
    }

    /// Asks it to stop and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(sent.success());
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = self.child.try_wait().expect("a status") {
                return status;
            }
            assert!(Instant::now() < deadline, "it did not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _it_is_gone = self.child.wait();
    }
}

/// Runs to the end; gives the exit code, the output and the complaints.
pub(crate) fn run(mut command: Command) -> (i32, String, String) {
    let mut child = command.spawn().expect("the program starts");
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().expect("its output").read_to_string(&mut out).expect("text");
    child.stderr.take().expect("its complaints").read_to_string(&mut err).expect("text");
    (child.wait().expect("an end").code().unwrap_or(-1), out, err)
}

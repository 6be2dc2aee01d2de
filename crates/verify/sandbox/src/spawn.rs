//! Starts job-init processes from a thread that lives as long as the server.
//!
//! The kernel sends the parent-death signal when the parent *thread* ends, so a job must not be started
//! from a worker thread that may be retired.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::{io, thread};

use tokio::sync::oneshot;

type Request = (Command, oneshot::Sender<io::Result<Child>>);

/// Starts a process whose parent-death signal fires only with the server's death.
pub(crate) async fn spawn(command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<io::Result<Sender<Request>>> = OnceLock::new();
    let spawner = SPAWNER.get_or_init(start).as_ref().map_err(|e| io::Error::new(e.kind(), e.to_string()))?;
    let (answer, answered) = oneshot::channel();
    spawner.send((command, answer)).map_err(io::Error::other)?;
    answered.await.map_err(io::Error::other)?
}

fn start() -> io::Result<Sender<Request>> {
    let (sender, requests) = channel::<Request>();
    thread::Builder::new().name("job-spawner".into()).spawn(move || {
        for (mut command, answer) in requests {
            let child = command.spawn();
            // The descriptors that the child got must not stay open here.
            drop(command);
            if let Err(Ok(mut orphan)) = answer.send(child) {
                let _ = orphan.kill();
                let _ = orphan.wait();
            }
        }
    })?;
    Ok(sender)
}

//! What systemd is told.

use std::{os::unix::net::UnixDatagram, time::Duration};

use crate::harness::{Face, World, many};

/// Reads messages until one holds `line`.
fn told(socket: &UnixDatagram, line: &str) -> String {
    let mut buffer = [0_u8; 4096];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("{line} was not told: {error}"));
        let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
        if message.lines().any(|one| one == line) {
            return message;
        }
    }
}

#[test]
fn the_service_manager_follows_the_daemon() {
    let world = World::new(Face::Ews);
    world.events(&many("ana", 1));
    let path = world.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let daemon = world.daemon_with(&[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "600000")]);
    assert!(told(&socket, "READY=1").contains("STATUS="));
    for _ in 0..3 {
        told(&socket, "WATCHDOG=1");
    }
    daemon.signal("HUP");
    assert!(told(&socket, "RELOADING=1").contains("MONOTONIC_USEC="));
    told(&socket, "READY=1");
    std::fs::write(world.settings_path(), "nonsense").unwrap();
    daemon.signal("HUP");
    told(&socket, "RELOADING=1");
    told(&socket, "READY=1");
    told(&socket, "WATCHDOG=1");
    daemon.stop();
    told(&socket, "STOPPING=1");
}

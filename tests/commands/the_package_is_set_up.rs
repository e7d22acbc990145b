//! The Debian package's maintainer scripts, with stand-ins for the programs that change a system.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::harness::Folder;

/// A configuration that was removed is not brought back by dpkg, and the script failed at it: an upgrade left the box stopped.
#[test]
fn an_operator_may_have_removed_the_configuration_that_came_with_it() {
    let configuration = "/etc/tonopago/box.yaml";
    if Path::new(configuration).exists() {
        return println!("skipped: {configuration} is there");
    }
    let folder = Folder::new();
    let log = folder.path("log");
    for name in ["getent", "adduser", "install", "chown", "chmod"] {
        let missing = format!("for name in \"$@\"; do [ \"$name\" != {configuration} ] || exit 1; done");
        let stand_in = format!("#!/bin/sh\necho {name} \"$@\" >>'{}'\n{missing}\n", log.display());
        fs::write(folder.path(name), stand_in).unwrap();
        fs::set_permissions(folder.path(name), Permissions::from_mode(0o755)).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/debian/postinst");
    let run = Command::new("/bin/sh").arg(script).arg("configure").env("PATH", folder.path("")).output().unwrap();
    let done = fs::read_to_string(log).unwrap();
    assert!(run.status.success() && done.contains("chmod 0750 /etc/tonopago"), "{run:?}\n{done}");
}

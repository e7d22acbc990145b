//! A recording of any kind: reading takes no more bytes than there are and gives finite samples, the same whatever pieces it comes
//! in. From a file it is read in other ways, by seeking.

#![no_main]

use std::fs::File;
use std::io::{Cursor, Write as _};
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;
use tonopago::audio::{Opener, Recording};
use tonopago_fuzz::hearing::{Hearing, let_decoders_give_up};
use tonopago_fuzz::pieces::Chopped;

fuzz_target!(init: let_decoders_give_up(), |data: &[u8]| {
    let read = Arc::new(AtomicU64::new(0));
    let whole = Opener::new().counting_into(Arc::clone(&read)).stream("whole", Cursor::new(data.to_vec()));
    let whole = Hearing::of(whole);
    assert!(read.load(Ordering::Relaxed) <= data.len() as u64, "{read:?} of {} bytes", data.len());
    let pieces = Hearing::of(Recording::from_stream("pieces", Chopped::new(data)));
    assert_eq!(whole, pieces);
    let (_file, path) = file_of(data);
    let _ = Hearing::of(Recording::open(&path));
});

/// A file that is gone when it is closed.
fn file_of(data: &[u8]) -> (File, PathBuf) {
    let path = std::env::temp_dir().join(format!("tonopago-fuzz-{}", std::process::id()));
    let mut file = File::create(&path).expect("the folder for temporary files can be written");
    std::fs::remove_file(&path).expect("it was made just now");
    file.write_all(data).expect("the disk has room");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    (file, path)
}

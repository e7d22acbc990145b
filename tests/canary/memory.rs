//! The search of this process's own memory.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::forms::{Form, KINDS, count};

/// Searches the writable memory of this process, but for the buffer it is read into.
pub(crate) fn count_in_memory(forms: &[Form]) -> ([usize; KINDS.len()], usize) {
    let mut memory = fs::File::open("/proc/self/mem").unwrap();
    let mut chunk = vec![0; 1 << 20];
    let own = chunk.as_ptr() as usize..chunk.as_ptr() as usize + chunk.len();
    let overlap = forms.iter().map(|form| form.masked.len()).max().unwrap();
    let (mut found, mut searched) = ([0; KINDS.len()], 0);
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") || rest.contains("[vvar") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let parse = |text| usize::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (parse(start), parse(end));
        while at < end {
            if own.contains(&at) {
                at = own.end;
                continue;
            }
            let limit = if at < own.start { end.min(own.start) } else { end };
            let length = chunk.len().min(limit - at);
            memory.seek(SeekFrom::Start(at as u64)).unwrap();
            if memory.read_exact(&mut chunk[..length]).is_err() {
                break; // a guard page
            }
            for form in forms {
                found[form.kind as usize] += count(&chunk[..length], &form.masked);
            }
            searched += length;
            at += if length == chunk.len() { length - overlap } else { length };
        }
    }
    (found, searched)
}

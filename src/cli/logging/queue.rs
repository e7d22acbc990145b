//! Log lines on their way out, by a thread of their own: a full disk, a reader that has gone or one that stands still costs
//! lines, never a call. Lines that find no room, or can't be written, are counted, and told of as soon as that is possible.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

/// Lines waiting to be written: what a busy box says in a minute, about a megabyte.
const WAITING: usize = 4096;
/// What is waiting when the program ends has so long to be written; a reader that stands still keeps nobody longer.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Something for the writing thread.
enum Message {
    Line(Vec<u8>),
    /// All that came before is written: say so.
    Flush(Sender<()>),
}

/// Where lines go in; cheap to clone, never waits.
#[derive(Clone)]
pub(super) struct Queue {
    messages: Sender<Message>,
    lost: Arc<AtomicU64>,
}

impl Queue {
    /// Starts writing to `out`.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (messages, waiting) = bounded(WAITING);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = Writer { out, lost: Arc::clone(&lost) };
        thread::Builder::new().name("log".to_owned()).spawn(move || writer.run(&waiting))?;
        Ok(Self { messages, lost })
    }

    /// Waits until what was given is written, but not for long.
    pub(super) fn settle(&self) {
        let (done, written) = bounded(1);
        if self.messages.send_timeout(Message::Flush(done), LAST_WORDS).is_ok() {
            let _ = written.recv_timeout(LAST_WORDS); // nobody is left to be told that it took too long
        }
    }
}

/// Each write is a whole line, as those who write log lines do it; it always succeeds.
impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.messages.try_send(Message::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writing thread, inside.
struct Writer<W> {
    out: W,
    lost: Arc<AtomicU64>,
}

impl<W: Write> Writer<W> {
    fn run(mut self, waiting: &Receiver<Message>) {
        for message in waiting {
            match message {
                Message::Line(line) => {
                    self.tell_losses();
                    if self.out.write_all(&line).is_err() {
                        self.lost.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Message::Flush(done) => {
                    self.tell_losses();
                    let _ = done.try_send(()); // whoever asked may have lost patience
                }
            }
        }
    }

    fn tell_losses(&mut self) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        if lost > 0 && writeln!(self.out, "tonopago: {lost} log lines are lost: they could not be written").is_err() {
            self.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes what it is given while it may, and fails as a full disk does while it may not.
    #[derive(Clone, Default)]
    struct Disk(Arc<Mutex<(Vec<u8>, bool)>>);

    impl Disk {
        fn set_full(&self, full: bool) {
            self.0.lock().unwrap().1 = full;
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut disk = self.0.lock().unwrap();
            if disk.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            disk.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_come_out_in_their_order_and_all_of_them() {
        let disk = Disk::default();
        let mut queue = Queue::start(disk.clone()).unwrap();
        for line in 0..100 {
            writeln!(queue, "{line}").unwrap();
        }
        queue.settle();
        let expected: String = (0..100).map(|line| format!("{line}\n")).collect();
        assert_eq!(disk.text(), expected);
    }

    #[test]
    fn a_full_disk_costs_lines_which_are_counted_once_it_has_room() {
        let disk = Disk::default();
        let mut queue = Queue::start(disk.clone()).unwrap();
        disk.set_full(true);
        for _ in 0..3 {
            queue.write_all(b"lost\n").unwrap();
        }
        queue.settle();
        disk.set_full(false);
        queue.write_all(b"kept\n").unwrap();
        queue.settle();
        assert_eq!(disk.text(), "tonopago: 3 log lines are lost: they could not be written\nkept\n");
    }

    #[test]
    fn a_reader_that_stands_still_keeps_nobody_waiting() {
        let disk = Disk::default();
        let mut queue = Queue::start(disk.clone()).unwrap();
        let standing = disk.0.lock().unwrap();
        let given = WAITING + 10;
        for _ in 0..given {
            queue.write_all(b"line\n").unwrap();
        }
        assert!(queue.lost.load(Ordering::Relaxed) > 0, "more than there is room for");
        drop(standing);
        queue.settle();
        let text = disk.text();
        let lost = text.lines().filter_map(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok()).sum::<usize>();
        assert_eq!(text.lines().filter(|line| *line == "line").count() + lost, given);
    }
}

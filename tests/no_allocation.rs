//! `Call::step` allocates nothing while nothing happens: in a prompt, between keys, while a service works.
#![expect(unsafe_code, reason = "counting allocations needs an allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tonopago::call::{Call, CallConfig, Effect, Frame};
use tonopago::dtmf::{Digit, GeneratorConfig, generate};
use tonopago::menu::{EventKind, Menu};
use tonopago::speech::Clips;

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the count is a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const BLOCK: usize = 160;

/// A call whose blocks are counted: those that allocated although nothing happened in them.
struct Counted {
    call: Call,
    recording: Vec<Frame>,
    quiet: usize,
    state: String,
}

impl Counted {
    fn feed(&mut self, samples: &[f32]) {
        let mut said = [0.0; BLOCK];
        for block in samples.chunks(BLOCK) {
            let mut done = 0;
            while done < block.len() {
                let before = ALLOCATIONS.get();
                done += self.call.step(&block[done..], &mut said[done..]);
                self.recording.clear();
                self.call.take_recording(&mut self.recording);
                let allocated = ALLOCATIONS.get() - before;
                if self.perform() == 0 {
                    self.quiet += 1;
                    assert_eq!(allocated, 0, "in state {} at {}", self.state, self.call.now());
                }
            }
        }
    }

    /// Takes the effects; how many there were.
    fn perform(&mut self) -> usize {
        let mut count = 0;
        while let Some(effect) = self.call.poll_effect() {
            count += 1;
            if let Effect::Event(event) = effect
                && let EventKind::State { name } = event.kind
            {
                self.state = name;
            }
        }
        count
    }

    fn silence(&mut self, seconds: usize) {
        self.feed(&vec![0.001; seconds * 8000]);
    }

    fn keys(&mut self, keys: &str) {
        let digits: Vec<Digit> = keys.chars().filter_map(Digit::from_char).collect();
        self.feed(
            &generate(&digits, &GeneratorConfig::default().timing(90.0, 130.0)).expect("these lengths are in range"),
        );
    }
}

#[test]
fn step_allocates_nothing_while_nothing_happens() {
    let clips = Clips::embedded();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml")).unwrap();
    let menu = Menu::parse("pago.yaml", &text, &*clips).unwrap();
    let config = CallConfig { record: true, ..CallConfig::default() };
    let call = Call::new(menu, clips, &config);
    let mut counted = Counted { call, recording: Vec::with_capacity(8000), quiet: 0, state: String::new() };
    counted.perform();
    counted.silence(2);
    counted.keys("1");
    counted.silence(30); // a prompt, silence, no-input
    counted.keys("2571399");
    counted.silence(5); // inter-digit
    assert_eq!(counted.state, "autorizar");
    counted.silence(20); // words while the service works
    counted.keys("4111"); // kept for later
    counted.silence(20);
    println!("{} blocks without an effect, none allocated", counted.quiet);
    assert!(counted.quiet > 3000);
}

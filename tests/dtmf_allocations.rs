//! Hearing allocates nothing: counted by the allocator itself.
#![expect(unsafe_code, reason = "a counting allocator must implement the unsafe trait GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use tonopago::dtmf::{Detector, Digit, GeneratorConfig, Profile, generate};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged to the system's allocator; counting touches no memory it hands out.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn hearing_digits_and_noise_allocates_nothing() {
    let digits: Vec<Digit> = Digit::all().collect();
    for rate in [8000, 44_100] {
        let config = GeneratorConfig { sample_rate: rate, ..GeneratorConfig::default() };
        let mut audio = generate(&digits, &config).unwrap();
        let mut rng = fastrand::Rng::with_seed(5);
        audio.iter_mut().for_each(|x| *x += 0.05 * (rng.f32() - 0.5));
        let mut detector = Detector::new(rate, &Profile::default()).unwrap();
        let mut events = 0;
        let before = COUNT.get();
        for block in audio.chunks(441).chain(audio.chunks(4800)) {
            detector.process(block, &mut |_| events += 1);
        }
        detector.finish(&mut |_| events += 1);
        assert_eq!(COUNT.get() - before, 0, "{rate} Hz");
        assert!(events >= 64, "{rate} Hz: {events} events");
    }
}

//! What must not allocate does not: `Call::step` while nothing happens (in a prompt, between keys, while a service works),
//! the sound card's callbacks, the resampler, the detector.
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
    let mut counted = Counted { call, recording: Vec::with_capacity(60 * 8000), quiet: 0, state: String::new() };
    counted.perform();
    counted.silence(2);
    counted.keys("1");
    counted.silence(30); // a prompt, silence, no-input
    counted.keys("2571399");
    counted.silence(8); // inter-digit
    assert_eq!(counted.state, "autorizar");
    counted.silence(20); // words while the service works
    counted.keys("4111"); // kept for later
    counted.silence(20);
    println!("{} blocks without an effect, none allocated", counted.quiet);
    assert!(counted.quiet > 3000);
}

/// A line between two calls, and in one whose echo canceller learns while the box speaks.
#[test]
fn a_lines_steps_allocate_nothing_while_nothing_happens() {
    use tonopago::dtmf::Profile;
    use tonopago::line::attendant::{Attendant, AttendantConfig, Begins, Phase, STEP, Signals};

    let clips = Clips::embedded();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml")).unwrap();
    let menu = Menu::parse("pago.yaml", &text, &*clips).unwrap();
    let make = Box::new(move || Call::new(menu.clone(), clips.clone(), &CallConfig::default()));
    let config =
        AttendantConfig { begins: Begins::WithSound, sound_dbm0: -38.0, profile: Profile::default(), hand_over: None };
    let mut attendant = Attendant::new(config, make);
    let (mut heard, mut said, mut quiet, mut learned) = ([0.0; STEP], [0.0_f32; STEP], 0, 0.0_f64);
    for step in 0..3000 {
        // From the third second on a loud echo of what the box says, and before it the sound that begins the call.
        for (heard, said) in heard.iter_mut().zip(said) {
            *heard = if (300..340).contains(&step) { 0.1 } else { 0.7 * said };
        }
        let allocated = allocations(|| attendant.step(Signals::default(), &heard, &mut said));
        let mut effects = 0;
        while attendant.poll_effect().is_some() {
            effects += 1;
        }
        if effects == 0 {
            quiet += 1;
            assert_eq!(allocated, 0, "in step {step}");
        }
        learned = learned.max(attendant.call().map_or(0.0, Call::echo_taken_out_db));
    }
    assert!(quiet > 2900 && attendant.phase() == Phase::InCall);
    assert!(learned > 6.0, "it learned meanwhile: {learned} dB");
}

/// What `work` allocates.
fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

#[cfg(feature = "sound-card")]
#[test]
fn a_sound_cards_callbacks_allocate_nothing_even_when_nobody_keeps_up() {
    use std::sync::Arc;
    use tonopago::line::sound_card::{Block, Capture, Playback, Stats};

    let stats = Arc::new(Stats::default());
    let (heard, _nobody_takes) = crossbeam_channel::bounded(50);
    let capture = Capture::new(heard, 2, 0, Arc::clone(&stats));
    let (send, blocks) = crossbeam_channel::bounded(50);
    let mut playback = Playback::new(blocks, 2, 48_000, Arc::clone(&stats));
    let (frames, mut space) = ([1_i16; 2 * 480], [0_i16; 2 * 480]);
    let allocated = allocations(|| {
        for round in 0..1000 {
            capture.take(&frames);
            // More than is played, then nothing.
            for _ in 0..if round < 500 { 5 } else { 0 } {
                let _ = send.try_send(Block::new(&[0.5; 160]));
            }
            playback.fill(&mut space);
        }
    });
    assert_eq!(allocated, 0);
    assert!(stats.heard_dropped() > 0 && stats.starved() > 0 && stats.skipped() > 0, "{stats:?}");
}

#[test]
fn the_resampler_and_the_detector_allocate_nothing_once_they_are_made() {
    use tonopago::audio::Resampler;
    use tonopago::dtmf::{Detector, Profile};

    let keys: Vec<Digit> = "159D".chars().filter_map(Digit::from_char).collect();
    let config = GeneratorConfig { sample_rate: 44_100, ..GeneratorConfig::default() };
    let sound = generate(&keys, &config).expect("these lengths are in range");
    let mut resampler = Resampler::new(44_100, 8_000);
    let mut detector = Detector::new(8_000, &Profile::default()).expect("8 kHz is a rate it takes");
    let (mut output, mut events) = (Vec::with_capacity(resampler.most_output(441)), 0);
    let allocated = allocations(|| {
        for block in sound.chunks(441) {
            output.clear();
            resampler.process(block, &mut output);
            detector.process(&output, &mut |_| events += 1);
        }
    });
    assert_eq!(allocated, 0);
    assert!(events >= 7, "{events} begins and ends");
}

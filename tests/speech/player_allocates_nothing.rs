//! Playing runs in the audio thread: taking samples and stopping must not touch the heap.
#![expect(unsafe_code, reason = "a global allocator that counts can be written in no other way")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tonopago::money::Money;
use tonopago::speech::{Clips, Language, Player, Spoken, amount};

struct Counting;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator unchanged; counting uses a thread-local without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller keeps GlobalAlloc's contract, which is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.set(CALLS.get() + 1);
        // SAFETY: as above, and `pointer` came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn while_it_fills_blocks_and_stops() {
    let clips = Clips::embedded();
    let mut player = Player::new();
    let mut block = [0.0; 80];
    let mut played = 0;
    for _ in 0..3 {
        let price =
            [vec![Spoken::clip("el_importe_es"), Spoken::Pause(200)], amount(Language::EsMx, Money::mxn(123_456))];
        player.enqueue(&price.concat(), &clips, Language::EsMx).unwrap();
        let before = CALLS.get();
        for count in 0.. {
            if player.is_idle() {
                break;
            }
            player.fill(&mut block);
            played += block.len();
            if count == 400 {
                player.stop();
            }
        }
        assert_eq!(CALLS.get() - before, 0, "calls of the allocator");
    }
    assert!(played > 80 * 3 * 300, "{played} samples played");
}

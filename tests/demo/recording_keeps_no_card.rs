//! A recording of a call that pays lets decoders that are not ours hear the payment key, and no digit of the card.

use std::sync::Arc;

use tonopago::demo::{self, KEY, Scenario, Stage};
use tonopago::menu::Menu;
use tonopago::speech::Clips;

use crate::peers::PEERS;

pub fn pago() -> Arc<Menu> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/menus/pago.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    Menu::parse("menus/pago.yaml", &text, &*Clips::embedded()).unwrap()
}

#[test]
fn peers_hear_the_payment_key_and_no_card_digit() {
    for (name, keys_heard) in [("paid", format!("1{KEY}#1")), ("impatient", format!("1{KEY}#1"))] {
        let scenario = Scenario::named(name).unwrap();
        let stage = Stage::start(scenario.fault, None).unwrap();
        let played = demo::play(scenario, scenario.script(), 1, pago(), &stage, &mut |_| {}).unwrap();
        assert_eq!(demo::verdict(scenario, &played, stage.amount()), Ok(()));
        for channel in [0, 1] {
            let samples: Vec<f32> = played.transcript.recording.iter().map(|frame| frame[channel]).collect();
            for (peer, decode) in PEERS {
                let Some(heard) = decode(&samples) else { continue };
                println!("{name}, channel {channel}: {peer} hears {heard:?}");
                let expected = if channel == 0 { keys_heard.as_str() } else { "" };
                assert_eq!(heard, expected, "{peer}, {name}, channel {channel}");
            }
        }
    }
}

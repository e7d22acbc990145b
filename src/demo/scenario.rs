//! The calls the demo can make: what the caller does, what the services do, and how the call must end.

use serde::{Deserialize, Serialize};

use crate::line::Latencies;
use crate::media::MediaTime;
use crate::simulator::{Act, Patience, Script};

/// The payment key the demo's merchant has given its customer.
pub const KEY: &str = "257139";
/// The card that pays: one of Openpay's test cards, which exist only in its sandbox.
pub const CARD: TestCard = TestCard { number: "4111111111111111", expiry: "0845", cvv: "737" };
/// Openpay's test card that is always declined.
const DECLINED_CARD: TestCard = TestCard { number: "4222222222222220", expiry: "1144", cvv: "481" };
/// A key no merchant gave.
const WRONG_KEY: &str = "990817";

/// A test card as a caller keys it in.
#[derive(Debug, Clone, Copy)]
pub struct TestCard {
    /// Card number.
    pub number: &'static str,
    /// MMYY.
    pub expiry: &'static str,
    /// Verification value.
    pub cvv: &'static str,
}

/// What goes wrong at the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Nothing.
    None,
    /// The merchant's authorizer does not answer.
    AuthorizerDown,
    /// Openpay makes the charge, but answers after the box has given up waiting.
    LateAnswer,
}

/// A charge that comes back late has kept the caller waiting for this long.
const LATE_CHARGE: MediaTime = MediaTime::from_ms(27_000);

impl Fault {
    /// Every fault, with its name on the command line.
    pub const NAMED: [(&'static str, Self); 3] =
        [("none", Self::None), ("authorizer-down", Self::AuthorizerDown), ("late-answer", Self::LateAnswer)];

    /// How long services seem to take under this fault, in media time.
    pub fn latencies(self) -> Latencies {
        let usual = Latencies::default();
        match self {
            Self::LateAnswer => Latencies { charge: LATE_CHARGE, ..usual },
            Self::None | Self::AuthorizerDown => usual,
        }
    }
}

/// How a scenario must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// One completed charge for the authorized amount at the gateway, and the caller told so.
    Paid,
    /// No completed charge.
    NotPaid,
}

/// One call of the demo.
pub struct Scenario {
    /// The name on the command line.
    pub name: &'static str,
    /// What it shows, in one line.
    pub about: &'static str,
    /// What goes wrong at the services.
    pub fault: Fault,
    /// How it must end at the gateway.
    pub ending: Ending,
    /// The state the call must end in.
    pub last_state: &'static str,
    /// The card numbers and CVVs keyed in: nothing the demo writes may contain them.
    pub cards: &'static [TestCard],
    script: fn() -> Script,
}

impl Scenario {
    /// The caller's script.
    pub fn script(&self) -> Script {
        (self.script)()
    }

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }
}

/// All scenarios.
pub static SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "paid",
        about: "a caller who does everything right pays",
        fault: Fault::None,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[CARD],
        script: || with_card(with_key(greeted("1"), KEY), CARD),
    },
    Scenario {
        name: "english",
        about: "the same in English",
        fault: Fault::None,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[CARD],
        script: || with_card(with_key(greeted("2"), KEY), CARD),
    },
    Scenario {
        name: "impatient",
        about: "a caller who keys over the prompts and ahead of them pays",
        fault: Fault::None,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[CARD],
        script: impatient,
    },
    Scenario {
        name: "declined-then-paid",
        about: "a declined card, then a good one",
        fault: Fault::None,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[DECLINED_CARD, CARD],
        script: || {
            let declined = with_card(with_key(greeted("1"), KEY), DECLINED_CARD);
            with_card_number(declined.keys("otra_tarjeta", "1"), CARD)
        },
    },
    Scenario {
        name: "wrong-key",
        about: "a wrong payment key three times",
        fault: Fault::None,
        ending: Ending::NotPaid,
        last_state: "demasiados_intentos",
        cards: &[],
        script: || {
            let wrong = format!("{WRONG_KEY}#");
            greeted("1").keys("clave", &wrong).keys("clave", &wrong).keys("clave", &wrong)
        },
    },
    Scenario {
        name: "corrected",
        about: "entries cleared with * and keyed again",
        fault: Fault::None,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[CARD],
        script: corrected,
    },
    Scenario {
        name: "hang-up",
        about: "the caller hangs up in the middle of the card number",
        fault: Fault::None,
        ending: Ending::NotPaid,
        last_state: "tarjeta",
        cards: &[CARD],
        script: || {
            let half = Act::KeysThenHangUp(CARD.number[..6].to_owned());
            with_key(greeted("1"), KEY).keys("confirmar", "1").act("tarjeta", Patience::HearsOut, half)
        },
    },
    Scenario {
        name: "authorizer-down",
        about: "the merchant's authorizer does not answer",
        fault: Fault::AuthorizerDown,
        ending: Ending::NotPaid,
        last_state: "servicio_no_disponible",
        cards: &[],
        script: || with_key(greeted("1"), KEY),
    },
    Scenario {
        name: "late-answer",
        about: "Openpay charges, but answers after the time-out: the charge is found, and made once",
        fault: Fault::LateAnswer,
        ending: Ending::Paid,
        last_state: "despedida",
        cards: &[CARD],
        script: || with_card(with_key(greeted("1"), KEY), CARD),
    },
];

fn greeted(language: &str) -> Script {
    Script::new().keys("bienvenida", language)
}

fn with_key(script: Script, key: &str) -> Script {
    script.keys("clave", &format!("{key}#"))
}

fn with_card(script: Script, card: TestCard) -> Script {
    with_card_number(script.keys("confirmar", "1"), card)
}

fn with_card_number(script: Script, card: TestCard) -> Script {
    script.keys("tarjeta", &format!("{}#", card.number)).keys("vencimiento", card.expiry).keys("codigo", card.cvv)
}

/// Cuts in after a second or so, and keys number, expiry and CVV in one go.
fn impatient() -> Script {
    let cut_in = |ms| Patience::CutsIn(MediaTime::from_ms(ms));
    let card = format!("{}#{}{}", CARD.number, CARD.expiry, CARD.cvv);
    Script::new()
        .act("bienvenida", cut_in(1900), Act::Keys("1".into()))
        .act("clave", cut_in(800), Act::Keys(format!("{KEY}#")))
        .act("confirmar", cut_in(3600), Act::Keys("1".into()))
        .act("tarjeta", cut_in(900), Act::Keys(card))
}

/// Slips in every field, notices, clears with `*` and starts over.
fn corrected() -> Script {
    greeted("1")
        .keys("clave", &format!("2573*,,,{KEY}#"))
        .keys("confirmar", "1")
        .keys("tarjeta", &format!("41112*,,,{}#", CARD.number))
        .keys("vencimiento", &format!("03*,,,{}", CARD.expiry))
        .keys("codigo", &format!("7*,,,{}", CARD.cvv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for scenario in &SCENARIOS {
            let found = Scenario::named(scenario.name).unwrap();
            assert!(std::ptr::eq(found, scenario), "{}", scenario.name);
        }
    }
}

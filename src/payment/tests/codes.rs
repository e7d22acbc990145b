//! Every documented error code, from the gateway's answer to the caller's ear.

use super::*;

/// What a caller hears of each of Openpay's documented codes when it is the answer to the charge, and whether the box
/// goes on taking payments. After `Approved` the code only meant to look, or to try once more.
#[test]
fn every_documented_code_has_its_words_and_its_consequence() {
    use ChargeReply::{Correct, Declined, Unavailable};
    let approved = || ChargeReply::Approved { reference: String::new() };
    let unknown = || ChargeReply::Unknown { reference: String::new() };
    let table = [
        (1000, 500, approved(), false),
        (1001, 400, Unavailable, false),
        (1002, 401, Unavailable, true),
        (1003, 422, approved(), false),
        (1004, 503, approved(), false),
        (1005, 404, Unavailable, false),
        (1006, 409, unknown(), false),
        (1007, 402, Declined(Decline::Generic), false),
        (1008, 423, Unavailable, true),
        (1009, 413, Unavailable, false),
        (1010, 403, Unavailable, true),
        (2004, 422, Correct(CardField::Pan), false),
        (2005, 400, Correct(CardField::Expiry), false),
        (2006, 400, Correct(CardField::Cvv), false),
        (2007, 412, Correct(CardField::Pan), false),
        (2009, 412, Correct(CardField::Cvv), false),
        (3001, 402, Declined(Decline::OtherCard), false),
        (3002, 402, Correct(CardField::Expiry), false),
        (3003, 402, Declined(Decline::OtherCard), false),
        (3004, 402, Declined(Decline::Generic), false),
        (3005, 402, Declined(Decline::Generic), false),
        (3006, 412, Declined(Decline::Generic), false),
        (3007, 402, Declined(Decline::Generic), false),
        (3008, 412, Declined(Decline::OtherCard), false),
        (3009, 402, Declined(Decline::Generic), false),
        (3010, 402, Declined(Decline::CallYourBank), false),
        (3011, 402, Declined(Decline::Generic), false),
        (3012, 412, Declined(Decline::CallYourBank), false),
        (4001, 412, Unavailable, false),
        (9999, 400, Unavailable, false),
        (9999, 402, Declined(Decline::Generic), false),
        (9999, 429, Unavailable, false),
        (9999, 500, approved(), false),
    ];
    for (code, status, expected, halts) in table {
        let shop = Shop::open(RehearsalConfig { charge_answer: Duration::from_secs(20), ..quick() });
        shop.inject(Fault::ApiError { status, code });
        let mut reply = shop.charge(GOOD);
        if let ChargeReply::Approved { reference } | ChargeReply::Unknown { reference } = &mut reply {
            reference.clear();
        }
        assert_eq!((reply, shop.shop.cashier.till().is_halted()), (expected.clone(), halts), "{code}/{status}");
        assert_eq!(shop.completed(), usize::from(expected == approved()), "{code}/{status}");
    }
}

//! `latency`: the distribution by length of block, and its parts through a virtual card. No time of this machine is asserted.

use crate::harness::tonopago;

#[test]
fn longer_blocks_tell_later_and_every_key_is_reported() {
    let run = tonopago(["latency", "--keys", "200", "--blocks", "0,10,40", "--format", "jsonl"]);
    assert_eq!(run.code, 0, "{run:?}");
    let objects: Vec<serde_json::Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.iter().map(|object| object["block_ms"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 10, 40]);
    let mean = |object: &serde_json::Value| object["latency_ms"]["mean"].as_f64().unwrap();
    assert!(objects.windows(2).all(|pair| mean(&pair[0]) < mean(&pair[1])), "{}", run.out);
    for object in &objects {
        let bars = object["bars_of_1_ms"].as_array().unwrap();
        let counted: u64 = bars.iter().map(|bar| bar[1].as_u64().unwrap()).sum();
        assert_eq!((counted, &object["missed"]), (200, &0.into()));
    }
    let louder = tonopago(["latency", "--keys", "50", "--snr", "-3", "--blocks", "10", "--format", "jsonl"]);
    let object: serde_json::Value = serde_json::from_str(&louder.out).unwrap();
    assert_eq!(
        (&object["snr_db"], &object["profile"], &object["seed"]),
        (&(-3.0).into(), &"default".into(), &1.into())
    );
    let text = tonopago(["latency", "--keys", "50", "--snr", "12"]);
    assert!(
        text.code == 0 && text.out.contains("one sample at a time") && text.out.contains("in blocks of 60 ms"),
        "{text:?}"
    );
}

#[test]
fn what_can_not_be_is_refused() {
    let run = tonopago(["latency", "--snr", "900"]);
    assert!(run.code == 2 && run.err.contains("-20 to 120 dB"), "{run:?}");
    let run = tonopago(["latency", "--loop", "one", "two", "--snr", "5"]);
    assert!(run.code == 2 && run.err.contains("cannot be used with"), "{run:?}");
}

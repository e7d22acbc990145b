use super::*;
use crate::dtmf::level::dbm0;

fn power_dbm0(samples: &[f32]) -> f64 {
    let mean = samples.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / samples.len() as f64;
    dbm0((2.0 * mean).sqrt())
}

fn tone(hz: f64, length: usize) -> Vec<f32> {
    (0..length).map(|n| (0.3 * (std::f64::consts::TAU * hz * n as f64 / 8000.0).sin()) as f32).collect()
}

#[test]
fn noises_have_the_level_asked_for_and_follow_the_seed() {
    let silence = vec![0.0; 400_000];
    let white = |seed| LineBuilder::new(seed).noise_dbm0(-30.0).build(8000).carry(&silence);
    assert!((power_dbm0(&white(1)) + 30.0).abs() < 0.1);
    assert_eq!(white(1), white(1));
    assert_ne!(white(1), white(2));
    let pink = LineBuilder::new(3).pink_noise_dbm0(-30.0).build(8000).carry(&silence);
    assert!((power_dbm0(&pink) + 30.0).abs() < 0.7, "{}", power_dbm0(&pink));
}

#[test]
fn echo_arrives_late_and_weaker() {
    let mut far = vec![0.0; 800];
    far[0] = 0.8;
    let (caller, mut heard) = (vec![0.0; 800], vec![0.0; 800]);
    LineBuilder::new(0).echo(30.0, 14.0).build(8000).process(&caller, &far, &mut heard);
    assert!((heard[240] - 0.8 * 10f32.powf(-0.7)).abs() < 1e-6);
    assert_eq!(heard.iter().filter(|x| **x != 0.0).count(), 1);
}

#[test]
fn blocks_do_not_matter() {
    let (caller, far) = (tone(770.0, 2000), tone(300.0, 2000));
    let builder = LineBuilder::new(9)
        .noise_dbm0(-20.0)
        .pink_noise_dbm0(-30.0)
        .impulses(20.0, -10.0)
        .hum(60.0, -30.0)
        .echo(12.0, 10.0)
        .caller_echo(5.0, 12.0)
        .room(120.0, -10.0)
        .impulse_response([0.9, 0.0, -0.2].into())
        .clock_offset_ppm(100.0)
        .carrier_offset_hz(4.0)
        .twist_db(-4.0)
        .tones(&[350.0, 440.0], -20.0, Some((50.0, 50.0)))
        .mix(tone(500.0, 77).into(), -20.0)
        .dropouts(10.0, 5.0)
        .packet_loss(0.1, 20.0)
        .codec(Companding::ALaw)
        .dc(0.01);
    let run = |block: usize| {
        let (mut line, mut heard) = (builder.clone().build(8000), vec![0.0; 2000]);
        for start in (0..2000).step_by(block) {
            let end = (start + block).min(2000);
            line.process(&caller[start..end], &far[start..end], &mut heard[start..end]);
        }
        heard
    };
    assert_eq!(run(1), run(2000));
    assert_eq!(run(160), run(2000));
}

#[test]
fn clipping_limits_the_peaks() {
    let caller: Vec<f32> = tone(697.0, 800).iter().map(|x| x * 3.0).collect();
    let heard = LineBuilder::new(0).clip_dbm0(-9.0).build(8000).carry(&caller);
    let peak = heard.iter().fold(0f32, |peak, x| peak.max(x.abs()));
    assert!((f64::from(peak) - amplitude(-9.0)).abs() < 1e-6);
}

#[test]
fn lost_packets_and_dropouts_are_silence_of_their_length() {
    let ones = vec![0.5; 160_000];
    let zeros = |heard: &[f32]| heard.iter().filter(|x| **x == 0.0).count();
    let lossy = LineBuilder::new(4).packet_loss(0.05, 20.0).build(8000).carry(&ones);
    assert_eq!(zeros(&lossy) % 160, 0);
    assert!((20..80).contains(&(zeros(&lossy) / 160)), "{}", zeros(&lossy) / 160);
    let broken = LineBuilder::new(4).dropouts(1.0, 10.0).build(8000).carry(&ones);
    assert!((400..4000).contains(&zeros(&broken)), "{}", zeros(&broken));
}

#[test]
fn twist_weakens_a_group_and_dial_tones_have_their_cadence() {
    let twisted = |hz| power_dbm0(&LineBuilder::new(0).twist_db(6.0).build(8000).carry(&tone(hz, 8000))[1000..]);
    assert!((twisted(819.0) - twisted(1421.0) - 6.0).abs() < 0.1);
    let busy = LineBuilder::new(0).tones(&[425.0], -10.0, Some((250.0, 250.0))).build(8000).carry(&[0.0; 8000]);
    assert!((power_dbm0(&busy[..2000]) + 10.0).abs() < 0.1);
    assert!(busy[2000..4000].iter().all(|x| *x == 0.0));
}

#[test]
fn a_room_rings_on_after_the_sound() {
    let mut caller = tone(941.0, 8000);
    caller[4000..].fill(0.0);
    let heard = LineBuilder::new(5).room(200.0, -10.0).build(8000).carry(&caller);
    assert!(power_dbm0(&heard[4000..4200]) > -40.0);
    assert!(power_dbm0(&heard[7000..]) < -60.0);
}

#[test]
fn an_impulse_response_is_heard_as_it_stands() {
    let mut caller = vec![0.0; 10];
    caller[2] = 0.5;
    let heard = LineBuilder::new(0).impulse_response([0.8, 0.0, -0.4].into()).build(8000).carry(&caller);
    assert_eq!(heard, [0.0, 0.0, 0.4, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn a_click_falls_to_37_percent_in_a_millisecond_at_every_rate() {
    let peak = amplitude(-7.0) as f32;
    for rate in [8000_u32, 48_000] {
        let heard = LineBuilder::new(7).impulses(2.0, -7.0).build(rate).carry(&vec![0.0; 3 * rate as usize]);
        let first = heard.iter().position(|x| *x != 0.0).unwrap();
        let click = &heard[first..first + rate as usize / 200];
        assert!((click[0].abs() - peak).abs() < 1e-6, "{rate} Hz: {}", click[0]);
        assert!(click.iter().all(|x| x.signum() == click[0].signum()), "{rate} Hz: {click:?}");
        let after_1_ms = click[rate as usize / 1000] / click[0];
        assert!((after_1_ms - (-1_f32).exp()).abs() < 1e-3, "{rate} Hz: {after_1_ms}");
    }
}

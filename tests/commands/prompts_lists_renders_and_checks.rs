use std::fs;

use crate::harness::{Folder, tonopago};

#[test]
fn the_list_names_every_clip_with_its_text_and_level() {
    let run = tonopago(["prompts", "list", "--language", "es-MX", "--format", "jsonl"]);
    assert_eq!((run.code, &*run.err), (0, ""));
    let clips: Vec<serde_json::Value> = run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let goodbye = clips.iter().find(|clip| clip["id"] == "despedida").unwrap();
    assert_eq!(goodbye["text"], "Gracias por llamar. Hasta luego.");
    assert!(goodbye["duration_ms"].as_u64().unwrap() > 1000 && goodbye["recording"].is_null(), "{goodbye}");
    assert!((goodbye["level_dbm0"].as_f64().unwrap() + 16.0).abs() < 1.0, "{goodbye}");
    assert!(clips.len() > 200 && clips.iter().all(|clip| clip["language"] == "es-MX"));
}

#[test]
fn what_is_rendered_is_told_and_written() {
    let folder = Folder::new();
    let file = folder.path("importe.wav");
    let run = tonopago(["prompts", "render", "el_importe_es", "--amount", "21000.50", "-o", file.to_str().unwrap()]);
    assert_eq!((run.code, &*run.err), (0, ""));
    assert_eq!(run.out, "El importe a pagar es de veintiún mil pesos con cincuenta centavos\n");
    let reader = hound::WavReader::open(&file).unwrap();
    assert_eq!((reader.spec().sample_rate, reader.spec().channels), (8000, 1));
    assert!((3 * 8000..8 * 8000).contains(&reader.duration()), "{} samples", reader.duration());
}

#[test]
fn what_cannot_be_said_is_named_with_the_cure() {
    let folder = Folder::new();
    let file = folder.path("x.wav");
    let file = file.to_str().unwrap();
    for (what, code, reason) in [
        (&["bienvenido"][..], 1, "no clip \"bienvenido\" in es-MX"),
        (&["--amount", "12,50"], 2, "\"12,50\" is not an amount"),
        (&["despedida", "--language", "fr-FR"], 2, "the languages are es-MX and en-US"),
        (&[], 2, "required arguments were not provided"),
    ] {
        let run = tonopago([&["prompts", "render", "-o", file], what].concat());
        assert!(run.code == code && run.err.contains(reason), "{what:?}: {run:?}");
    }
    assert!(!fs::exists(file).unwrap(), "nothing is written");
}

#[test]
fn recordings_are_checked_and_heard() {
    let folder = Folder::new();
    fs::create_dir(folder.path("es-MX")).unwrap();
    folder.digits("es-MX/despedida.wav", "123", &["--rate", "44100"]);
    let path = folder.path("");
    let path = path.to_str().unwrap();
    let run = tonopago(["prompts", "check", path]);
    assert!(run.code == 0 && run.out.ends_with("the box can use these recordings\n"), "{run:?}");
    let run = tonopago(["prompts", "list", "--recordings", path]);
    let row = run.out.lines().find(|line| line.contains(" despedida ")).unwrap();
    assert!(row.contains("despedida.wav]"), "{row}");
    fs::write(folder.path("es-MX/cancelado.wav"), "no sound").unwrap();
    let run = tonopago(["prompts", "check", path]);
    assert!(run.code == 1 && run.out.contains("cancelado.wav: error: "), "{run:?}");
    let run = tonopago(["prompts", "list", "--recordings", path]);
    assert!(run.code == 1 && run.err.contains("cancelado.wav"), "{run:?}");
}

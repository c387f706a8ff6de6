//! Frames, as a terminal would show them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use tollgate_top::{Calls, Live, Snapshot, View};

/// The answers of docs/API.md, as the host gives them.
fn documented() -> Snapshot {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/API.md")).unwrap();
    let example = |heading: &str| {
        let (_, section) = page.split_once(&format!("\n## `{heading}`")).unwrap();
        section.split_once("```json\n").unwrap().1.split_once("```").unwrap().0.to_owned()
    };
    let live: Live = serde_json::from_str(&example("GET /api/live")).unwrap();
    let calls: Calls = serde_json::from_str(&example("GET /api/calls")).unwrap();
    Snapshot { live, calls: calls.calls }
}

fn view() -> View {
    let mut view = View::new("http://127.0.0.1:9464");
    view.show(documented());
    view
}

/// What `TestBackend` holds after a frame.
fn drawn(view: &View, width: u16, height: u16) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view.render(frame.area(), frame.buffer_mut())).unwrap();
    terminal.backend().clone()
}

#[test]
fn a_frame_has_rates_latency_models_and_the_newest_calls() {
    drawn(&view(), 90, 12).assert_buffer_lines_plain(&[
        "tollgate top  14:13:29  last 10s  http://127.0.0.1:9464",
        "calls/s 0.20   cost/h $1.44   errors 1 (50.0%)   tokens/s 120   calls 2   unpriced 1",
        "latency p50 1.00s   p95 2.00s   p99 2.00s   first chunk p50 350ms   p95 350ms   p99 350ms",
        "",
        "MODEL                           CALLS  COST        ERRORS  TOKENS  P50     P95     P99",
        "claude-sonnet-4-5               1      $0          100.0%  0       1.00s   1.00s   1.00s",
        "gpt-4o                          1      $0.00400    0.0%    1.2k    2.00s   2.00s   2.00s",
        "",
        "TIME     MODEL                    COST        IN/OUT      TOOK    ERROR        USER",
        "14:13:12 gpt-4o                   $0.00400    1.0k/200    2.00s                ada",
    ]);
}

/// Comparison without colours, and without spaces that only line things up.
trait Plain {
    fn assert_buffer_lines_plain(&self, expected: &[&str]);
}

impl Plain for TestBackend {
    fn assert_buffer_lines_plain(&self, expected: &[&str]) {
        let area = *self.buffer().area();
        let row = |y| (0..area.width).map(|x| self.buffer()[(x, y)].symbol()).collect::<String>();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let rows: Vec<_> = (0..area.height).map(|y| words(&row(y))).collect();
        let expected: Vec<_> = expected.iter().map(|line| words(line)).collect();
        assert_eq!(rows[..expected.len()], expected);
        assert!(rows[expected.len()..].iter().all(Vec::is_empty));
    }
}

#[test]
fn errors_are_red() {
    let backend = drawn(&view(), 90, 12);
    let red = |text: &str, y: u16| {
        let row: String = (0..90).map(|x| backend.buffer()[(x, y)].symbol()).collect();
        let at = u16::try_from(row.find(text).expect(text)).unwrap();
        backend.buffer()[(at, y)].fg == Color::Red
    };
    assert!(red("1 (50.0%)", 1) && red("100.0%", 5) && !red("0.0%", 6));
}

#[test]
fn every_room_is_enough() {
    let mut many = documented();
    many.live.models = (0..50).flat_map(|_| many.live.models.clone()).collect();
    many.calls = (0..200).flat_map(|_| many.calls.clone()).collect();
    let mut crowded = View::new("http://127.0.0.1:9464");
    crowded.show(many);
    let mut away = view();
    away.away("connection refused");
    for view in [view(), crowded, away, View::new(&"x".repeat(500))] {
        for height in 0..40 {
            for width in (0..140).step_by(if height < 12 { 1 } else { 7 }) {
                let lines = view.plain(width, height);
                assert!(lines.lines().count() <= usize::from(height));
                assert!(lines.lines().all(|line| line.chars().count() <= usize::from(width)));
            }
        }
    }
}

#[test]
fn a_small_terminal_shows_what_matters_most() {
    let small = view().plain(40, 5);
    assert!(small.contains("calls/s 0.20   cost/h $1.44"), "{small}");
    assert!(!small.contains("unpriced"), "{small}");
    assert_eq!(view().plain(12, 1), "tollgate top\n");
    let narrow = view().plain(34, 12);
    assert!(narrow.contains("COST") && !narrow.contains("P50") && !narrow.contains("USER"), "{narrow}");
}

#[test]
fn many_models_leave_room_for_calls() {
    let mut many = documented();
    many.live.models = (0..50).flat_map(|_| many.live.models.clone()).collect();
    many.calls = (0..50).flat_map(|_| many.calls.clone()).collect();
    let mut view = View::new("a");
    view.show(many);
    let frame = view.plain(90, 24);
    assert!(frame.matches("14:13:12").count() >= 7, "{frame}");
    assert!(frame.matches("claude").count() >= 4, "{frame}");
}

#[test]
fn a_host_that_is_away_is_told_and_what_it_said_stays() {
    let mut view = view();
    view.away("connection refused");
    let frame = view.plain(90, 12);
    assert!(frame.starts_with("tollgate top  AWAY: connection refused") && frame.contains("gpt-4o"), "{frame}");
    view.show(documented());
    assert!(!view.plain(90, 12).contains("AWAY"));
}

#[test]
fn calls_that_may_be_missing_are_told() {
    let mut snapshot = documented();
    snapshot.live.sampled = true;
    let mut view = View::new("a");
    view.show(snapshot);
    assert!(view.plain(90, 12).contains("sampled: not all calls are here"));
}

/// Names come from whoever sends telemetry.
#[test]
fn nothing_from_outside_reaches_the_terminal_as_a_command() {
    let mut snapshot = documented();
    snapshot.calls[0].request_model = Some("\x1b]0;title\x07\x1b[2Jevil\r\n".to_owned());
    snapshot.live.models[0].model = Some("\u{9b}31m".to_owned());
    snapshot.calls[0].time = "2026-09-21T\x1b[2J:00:00Z".to_owned();
    let mut view = View::new("http://\x1b[2J");
    view.show(snapshot);
    let check = |frame: &str| assert!(frame.chars().all(|character| character == '\n' || !character.is_control()));
    check(&view.plain(120, 20));
    view.away("\x1b[2J");
    check(&view.plain(120, 20));
}

#[test]
fn answers_with_more_and_with_less_are_read() {
    let live: Live = serde_json::from_str(r#"{"new_field": {"a": 1}, "calls_per_second": null}"#).unwrap();
    assert_eq!(live, Live::default());
    let calls: Calls = serde_json::from_str(r#"{"calls": [{"time": "x", "more": []}]}"#).unwrap();
    let mut view = View::new("a");
    view.show(Snapshot { live, calls: calls.calls });
    assert!(view.plain(100, 20).contains("calls/s -"));
}

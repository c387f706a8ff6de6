//! A view, drawn. What there is no room for is left out, the least important first.

use crate::format::{UNKNOWN, clock, count, money, rate, safe, share, time};
use crate::snapshot::{Call, Latency, Live, Model, Snapshot, Tokens};
use crate::view::View;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table, Widget};

/// A column of a table: its title, how wide it is, and from which width of the table on it is there.
type Column = (&'static str, Constraint, u16);

const MODELS: [Column; 8] = [
    ("MODEL", Constraint::Fill(1), 0),
    ("CALLS", Constraint::Length(6), 0),
    ("COST", Constraint::Length(11), 34),
    ("ERRORS", Constraint::Length(7), 44),
    ("TOKENS", Constraint::Length(7), 54),
    ("P50", Constraint::Length(7), 64),
    ("P95", Constraint::Length(7), 72),
    ("P99", Constraint::Length(7), 80),
];

const CALLS: [Column; 8] = [
    ("TIME", Constraint::Length(8), 0),
    ("MODEL", Constraint::Fill(2), 0),
    ("COST", Constraint::Length(11), 36),
    ("IN/OUT", Constraint::Length(11), 60),
    ("TOOK", Constraint::Length(7), 46),
    ("ERROR", Constraint::Length(12), 74),
    ("USER", Constraint::Fill(1), 90),
    ("SERVICE", Constraint::Fill(1), 104),
];

const TITLE: Style = Style::new().add_modifier(Modifier::BOLD);
const HEAD: Style = Style::new().fg(Color::Black).bg(Color::Gray);
const BAD: Style = Style::new().fg(Color::Red);
const DIM: Style = Style::new().fg(Color::DarkGray);

pub(crate) fn view(view: &View, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(buffer.area);
    if area.is_empty() {
        return;
    }
    // From the top: the host, rates, latency, models, calls; what is below the end is left out. The tables share what is left,
    // and calls have half of it at least.
    let models = view.snapshot.as_ref().map_or(0, |snapshot| snapshot.live.models.len()).max(1);
    let models = u16::try_from(models).unwrap_or(u16::MAX).saturating_add(1);
    let models = models.min(area.height.saturating_sub(5).div_ceil(2));
    let part = |from: u16, height: u16| {
        let height = height.min(area.height.saturating_sub(from));
        Rect { y: area.y.saturating_add(from), height, ..area }
    };
    let (head, rates, latencies) = (part(0, 1), part(1, 1), part(2, 1));
    let (model_table, call_table) = (part(4, models), part(models.saturating_add(5), u16::MAX));
    headline(view).render(head, buffer);
    let Some(Snapshot { live, calls }) = &view.snapshot else { return };
    rates_line(live, area.width).render(rates, buffer);
    latency_line(live, area.width).render(latencies, buffer);
    table(model_table, buffer, &MODELS, live.models.iter().map(model_cells));
    table(call_table, buffer, &CALLS, calls.iter().map(call_cells));
}

fn headline(view: &View) -> Line<'_> {
    let mut line = vec![Span::styled("tollgate top", TITLE), Span::raw("  ")];
    match (&view.away, &view.snapshot) {
        (Some(why), _) => line.push(Span::styled(format!("AWAY: {why}  "), BAD)),
        (None, None) => line.push(Span::raw("asking  ")),
        (None, Some(Snapshot { live, .. })) => {
            line.push(Span::raw(format!("{}  last {:.0}s  ", clock(&live.until), live.observed_seconds)));
            if live.sampled {
                line.push(Span::raw("sampled: not all calls are here  "));
            }
        }
    }
    line.push(Span::styled(view.url.as_str(), DIM));
    Line::from(line)
}

/// Pairs of a name and a figure, as many as there is room for.
fn figures(pairs: impl IntoIterator<Item = (String, String, bool)>, width: u16) -> Line<'static> {
    let (mut line, mut used) = (Vec::new(), 0);
    for (name, figure, bad) in pairs {
        let gap = if line.is_empty() { "" } else { "   " };
        used += gap.len() + name.len() + 1 + figure.len();
        if used > usize::from(width) && !line.is_empty() {
            break;
        }
        line.push(Span::styled(format!("{gap}{name} "), DIM));
        line.push(Span::styled(figure, if bad { BAD } else { TITLE }));
    }
    Line::from(line)
}

fn rates_line(live: &Live, width: u16) -> Line<'static> {
    let totals = &live.totals;
    let pair = |name: &str, figure: String| (name.to_owned(), figure, false);
    let errors = format!("{} ({})", totals.failed_calls, share(totals.failed_calls, totals.calls));
    figures(
        [
            pair("calls/s", rate(live.calls_per_second)),
            pair("cost/h", money(live.cost_usd_per_hour.as_deref())),
            ("errors".to_owned(), errors, totals.failed_calls > 0),
            pair("tokens/s", rate(live.tokens_per_second)),
            pair("calls", count_of(totals.calls)),
            pair("unpriced", count_of(totals.unpriced_calls)),
        ],
        width,
    )
}

fn latency_line(live: &Live, width: u16) -> Line<'static> {
    let three = |latency: &Latency| [("p50", latency.p50_ns), ("p95", latency.p95_ns), ("p99", latency.p99_ns)];
    let named = |prefix: &'static str, latency: &Latency| {
        three(latency).map(|(name, nanos)| {
            let name = if name == "p50" { format!("{prefix} {name}") } else { name.to_owned() };
            (name, time(nanos), false)
        })
    };
    figures(named("latency", &live.duration).into_iter().chain(named("first chunk", &live.time_to_first_chunk)), width)
}

#[expect(clippy::cast_precision_loss, reason = "shown to two digits")]
fn count_of(number: u64) -> String {
    count(number as f64)
}

fn model_cells(model: &Model) -> [(String, Style); MODELS.len()] {
    let (sums, plain) = (&model.sums, Style::new());
    let tokens = sums.tokens.input.unwrap_or(0.0) + sums.tokens.output.unwrap_or(0.0);
    let latency = &model.duration;
    [
        (model.model.as_deref().map_or(UNKNOWN.to_owned(), safe), plain),
        (count_of(sums.calls), plain),
        (money(Some(&sums.cost_usd)), plain),
        (share(sums.failed_calls, sums.calls), if sums.failed_calls > 0 { BAD } else { plain }),
        (count(tokens), plain),
        (time(latency.p50_ns), plain),
        (time(latency.p95_ns), plain),
        (time(latency.p99_ns), plain),
    ]
}

fn call_cells(call: &Call) -> [(String, Style); CALLS.len()] {
    let plain = Style::new();
    let text = |text: &Option<String>| text.as_deref().map_or(UNKNOWN.to_owned(), safe);
    let model = call.request_model.as_ref().or(call.response_model.as_ref());
    let Tokens { input, output } = call.tokens;
    let known = |tokens: Option<f64>| tokens.map_or(UNKNOWN.to_owned(), count);
    [
        (safe(clock(&call.time)), plain),
        (model.map_or(UNKNOWN.to_owned(), |model| safe(model)), if call.error_type.is_some() { BAD } else { plain }),
        (money(call.cost_usd.as_deref()), plain),
        (format!("{}/{}", known(input), known(output)), plain),
        (time(call.duration_ns), plain),
        (call.error_type.as_deref().map(safe).unwrap_or_default(), BAD),
        (text(&call.user), plain),
        (text(&call.service), plain),
    ]
}

/// A table of the columns that there is room for.
fn table<const N: usize>(
    area: Rect,
    buffer: &mut Buffer,
    columns: &[Column; N],
    rows: impl Iterator<Item = [(String, Style); N]>,
) {
    let fits = |column: &Column| area.width >= column.2;
    let shown = |cells: [(String, Style); N]| {
        let cells = columns.iter().zip(cells).filter(|(column, _)| fits(column));
        Row::new(cells.map(|(_, (text, style))| Cell::new(text).style(style)))
    };
    let titles = Row::new(columns.iter().filter(|column| fits(column)).map(|column| column.0)).style(HEAD);
    let widths = columns.iter().filter(|column| fits(column)).map(|column| column.1);
    let rows = rows.take(usize::from(area.height)).map(shown);
    Widget::render(Table::new(rows, widths).header(titles), area, buffer);
}

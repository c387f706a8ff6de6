use tollgate_pii_redactor::*;
fn main() {
    let r = Redactor::default();
    let mut c = r.conversation();
    let t = std::env::args().nth(1).unwrap();
    println!("{:?}", r.redact_text(&t));
    for e in r.explain(&t) {
        println!("{:?}", e);
    }
    let mut s = Stream::text();
    for a in std::env::args().skip(1) {
        println!("{:?} held {}", s.push(&r, &mut c, &a), s.held());
    }
    println!("{:?}", s.finish(&r, &mut c));
}

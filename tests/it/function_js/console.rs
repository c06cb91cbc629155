//! What the console writes, value by value.

use super::Script;

/// The records of one call whose body is `code`.
async fn said(code: &str) -> Vec<String> {
    let script = Script::new(&format!("exports.handler = async () => {{ {code} }}"));
    let outcome = script.invoke("{}").await;
    assert_eq!(outcome.record.error_message, None, "{code}");
    script.said()
}

#[tokio::test]
async fn each_method_has_its_level_nd8() {
    assert_eq!(
        said(
            "console.debug('a'); console.log('b'); console.info('c'); console.warn('d'); console.error('e'); \
             console.assert(true, 'f'); console.assert(false, 'g')"
        )
        .await,
        [
            "[debug] a",
            "[info] b",
            "[info] c",
            "[warn] d",
            "[error] e",
            "[error] Assertion failed: g"
        ]
    );
}

#[tokio::test]
async fn the_logger_of_the_context_writes_the_same_records_nd8() {
    let script = Script::new(
        "exports.handler = async (event, context) => { context.logger.info('a'); context.logger.warn({b: 1}) }",
    );
    script.invoke("{}").await;
    assert_eq!(script.said(), ["[info] a", "[warn] { b: 1 }"]);
}

#[tokio::test]
async fn lower_levels_can_be_hidden_nd10() {
    let script = Script::with(
        "exports.handler = async () => { console.log('a'); console.warn('b'); console.error('c') }",
        |definition| {
            let variables = &mut definition.environment;
            variables.insert("ALIYUN_FC_LOG_LEVEL".to_owned(), "WARN".to_owned());
        },
    );
    script.invoke("{}").await;
    assert_eq!(script.said(), ["[warn] b", "[error] c"]);
}

#[tokio::test]
async fn one_message_is_one_physical_line_nd9() {
    assert_eq!(said(r"console.log('a\nb\r\nc')").await, ["[info] a\rb\rc"]);
}

#[tokio::test]
async fn values_look_as_node_shows_them() {
    for (values, shown) in [
        (
            "'text', 1, -0, 10n, true, null, undefined",
            "text 1 -0 10n true null undefined",
        ),
        (
            "{a: 1, 'b-c': 'x', d: [1, 'two', null]}",
            "{ a: 1, 'b-c': 'x', d: [ 1, 'two', null ] }",
        ),
        (
            "[], {}, [[]], [1, , 3]",
            "[] {} [ [] ] [ 1, <empty item>, 3 ]",
        ),
        (
            "{a: {b: {c: {d: 1}, e: [1]}}}",
            "{ a: { b: { c: [Object], e: [Array] } } }",
        ),
        ("[\"it's\", 'say \"hi\"']", r#"[ "it's", 'say "hi"' ]"#),
        (r"['tab\t', 'line\n']", r"[ 'tab\t', 'line\n' ]"),
        (
            "new Map([['a', {b: 1}]]), new Set([1, 'x'])",
            "Map(1) { 'a' => { b: 1 } } Set(2) { 1, 'x' }",
        ),
        ("class A { constructor() { this.x = 1 } }; new A(), A", ""),
        (
            "[function named() {}, () => 1, class B {}]",
            "[ [Function: named], [Function (anonymous)], [class B] ]",
        ),
        (
            "new Date(0), /a+/g, Symbol('s')",
            "1970-01-01T00:00:00.000Z /a+/g Symbol(s)",
        ),
        (
            "Buffer.from('abc'), new Uint8Array([1, 2])",
            "<Buffer 61 62 63> Uint8Array(2) [ 1, 2 ]",
        ),
        (
            "Object.create(null), {get a() { return 1 }}",
            "[Object: null prototype] {} { a: [Getter] }",
        ),
        (
            "'%s has %d items and %j', 'cart', '3', {a: 1}, 'rest'",
            "cart has 3 items and {\"a\":1} rest",
        ),
        ("'100%', 'of %s'", "100% of %s"),
    ] {
        let code = if shown.is_empty() {
            continue;
        } else {
            format!("console.log({values})")
        };
        assert_eq!(said(&code).await, [format!("[info] {shown}")], "{values}");
    }
}

#[tokio::test]
async fn circles_long_lists_and_wide_objects_stay_bounded() {
    assert_eq!(
        said("const a = {name: 'a'}; a.self = a; console.log(a)").await,
        ["[info] { name: 'a', self: [Circular] }"]
    );
    let long = said("console.log(Array(102).fill('some item'))").await;
    assert!(long[0].ends_with("\r  ... 2 more items\r]"), "{}", long[0]);
    assert_eq!(
        said("console.log({key: 'x'.repeat(40), other: 'y'.repeat(40)})").await,
        [format!(
            "[info] {{\r  key: '{}',\r  other: '{}'\r}}",
            "x".repeat(40),
            "y".repeat(40)
        )]
    );
}

#[tokio::test]
async fn an_error_is_shown_with_its_stack() {
    let said = said("console.log(new RangeError('too far'))").await;
    assert!(
        said[0].starts_with("[info] RangeError: too far\r    at "),
        "{}",
        said[0]
    );
    assert!(said[0].contains("index.js:1"), "{}", said[0]);
    assert!(!said[0].contains("moonport:"), "{}", said[0]);
}

#[tokio::test]
async fn a_record_is_cut_at_128_kib_log12() {
    let said = said("console.log('x'.repeat(1e6))").await;
    assert!(said[0].ends_with("x... Truncated by moonport"));
    assert_eq!(
        said[0].len(),
        "[info] ".len() + 128 * 1024 + "... Truncated by moonport".len()
    );
}

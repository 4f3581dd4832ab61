//! One rule a test.

use super::super::{Request, Source, Universe, resolve};
use super::{chosen, index, installed, names, requests};

#[test]
fn needs_are_followed_and_recommends_are_not() {
    let lines = "a 1; Depends: b; Recommends: x
        b 1; Pre-Depends: c (>= 2)
        c 2; Suggests: x
        x 1";
    assert_eq!(names(lines, "a").unwrap(), "a b c");
}

#[test]
fn the_first_alternative_that_can_be_had_is_taken() {
    let lines = "a 1; Depends: nowhere | hopeless | b | c
        hopeless 1; Depends: nowhere
        b 1
        c 1";
    assert_eq!(names(lines, "a").unwrap(), "a b");
    // What is wanted anyway satisfies the relation before anything is added.
    assert_eq!(names(lines, "a c").unwrap(), "a c");
}

#[test]
fn the_order_of_what_is_wanted_has_no_effect() {
    let lines = "a 1; Depends: mta | postfix
        b 1; Depends: postfix
        exim 1; Provides: mta; Conflicts: mta
        postfix 1; Provides: mta; Conflicts: mta";
    let one = names(lines, "a b").unwrap();
    assert_eq!(names(lines, "b a b").unwrap(), one);
}

#[test]
fn among_providers_the_more_important_is_taken_and_then_the_one_mentioned_last() {
    let lines = |priority: &str| {
        format!(
            "a 1; Depends: virtual
             p 1; Provides: virtual; Priority: {priority}
             q 1; Provides: virtual
             r 1; Provides: virtual"
        )
    };
    assert_eq!(names(&lines("optional"), "a").unwrap(), "a r");
    assert_eq!(names(&lines("important"), "a").unwrap(), "a p");
    // An earlier package that mentions `r` makes `q` the last.
    let early = format!("0first 1; Enhances: r\n{}", lines("optional"));
    assert_eq!(names(&early, "a").unwrap(), "a q");
    // The package of the very name comes before those that provide it.
    assert_eq!(names(&format!("{}\nvirtual 1; Priority: extra", lines("optional")), "a").unwrap(), "a virtual");
    assert_eq!(names(&format!("{}\ns 1; Provides: virtual; Essential: yes", lines("important")), "a").unwrap(), "a s");
}

#[test]
fn a_bound_is_satisfied_by_versioned_provides_only() {
    let lines = "a 1; Depends: v (>= 2)
        none 1; Provides: v
        low 1; Provides: v (= 1)
        high 1; Provides: v (= 1:2)
        range 1; Provides: v (>= 3)";
    assert_eq!(names(lines, "a").unwrap(), "a high");
}

#[test]
fn any_is_answered_by_allowed_packages() {
    let lines = |kind: &str| {
        format!("a 1; Depends: py:any\npy 1; Multi-Arch: {kind}; Provides: snake\nb 1; Depends: snake:any, py:amd64")
    };
    assert_eq!(names(&lines("allowed"), "a b").unwrap(), "a b py");
    for kind in ["foreign", "no"] {
        assert!(names(&lines(kind), "a").is_err(), "{kind}");
        assert!(names(&lines(kind), "b").is_err(), "{kind}");
    }
    assert_eq!(names("a 1; Depends: b:amd64, c:native\nb 1\nc 1", "a").unwrap(), "a b c");
    assert!(names("a 1; Depends: b:i386\nb 1", "a").is_err());
}

#[test]
fn a_package_may_conflict_with_what_it_provides_itself() {
    let lines = "a 1; Provides: mta; Conflicts: mta, a
        b 1; Depends: mta";
    assert_eq!(names(lines, "b").unwrap(), "a b");
}

#[test]
fn what_conflicts_gives_way_to_what_is_named() {
    let lines = "a 1; Depends: x | y
        b 1; Depends: y
        x 1
        y 1; Conflicts: x";
    assert_eq!(names(lines, "a b").unwrap(), "a b y");
    let breaks = lines.replace("Conflicts", "Breaks");
    assert_eq!(names(&breaks, "a b").unwrap(), "a b y");
    assert_eq!(names(&lines.replace("Conflicts: x", "Conflicts: x (<< 1)"), "a b").unwrap(), "a b x y");
}

#[test]
fn remains_of_what_was_given_up_are_swept_away() {
    // `bad` is tried first and its `helper` marked, before it turns out that `bad` conflicts with what is there.
    let lines = "a 1; Depends: base, bad | good
        base 1; Conflicts: poison
        bad 1; Depends: helper, poison
        poison 1
        helper 1
        good 1";
    assert_eq!(names(lines, "a").unwrap(), "a base good");
}

#[test]
fn cycles_end() {
    assert_eq!(names("a 1; Depends: b\nb 1; Depends: c\nc 1; Depends: a, b", "a").unwrap(), "a b c");
}

#[test]
fn the_newest_version_of_all_suites_is_the_candidate_unless_pinned() {
    let (old, new) = (index("a 1; Depends: b\nb 1"), index("a 1.10; Depends: b (= 1)\nb 1.9+deb1\na 1.9"));
    let suites = [("trixie", &old), ("trixie-security", &new)];
    assert!(chosen(&suites, "a", &[]).is_err());
    assert_eq!(chosen(&suites, "a=1", &[]).unwrap(), "a=1 b=1.9+deb1");
    assert_eq!(chosen(&suites, "a b=1", &[]).unwrap(), "a=1.10 b=1");
    assert_eq!(chosen(&suites, "a=1.* b=1", &[]).unwrap(), "a=1.10 b=1");
    let error = chosen(&suites, "a=2*", &[]).unwrap_err();
    assert_eq!(
        error,
        "no version of `a` matches `2*`; there is `1.10 in trixie-security`, `1.9 in trixie-security`, `1 in trixie`"
    );
    let error = chosen(&suites, "a=1 a=1.9", &[]).unwrap_err();
    assert_eq!(error, "`a` is wanted as `1` and as `1.9`");
}

#[test]
fn what_the_base_has_is_not_installed_again() {
    let archive = index("a 2; Depends: b\nb 2; Depends: c (>= 2)\nc 2\nd 1; Depends: b, c (>= 2)");
    let suites = [("trixie", &archive)];
    let base = [installed("b", "2", ""), installed("c", "2", "")];
    assert_eq!(chosen(&suites, "a", &base).unwrap(), "a=2");
    assert_eq!(chosen(&suites, "b", &base).unwrap(), "");
    // An older version is upgraded where it has to be.
    let old = [installed("b", "1", "Depends: c"), installed("c", "1", "Multi-Arch: same")];
    assert_eq!(chosen(&suites, "a", &old).unwrap(), "a=2");
    assert_eq!(chosen(&suites, "d", &old).unwrap(), "c=2 d=1");
    assert_eq!(chosen(&suites, "b", &old).unwrap(), "b=2 c=2");
    // A newer one stays, and packages of other architectures are not looked at.
    assert_eq!(chosen(&suites, "a", &[installed("b", "3", "")]).unwrap(), "a=2");
    let mut foreign = installed("b", "2", "");
    foreign.arch = "i386".to_owned();
    assert_eq!(chosen(&suites, "a", &[foreign]).unwrap(), "a=2 b=2 c=2");
}

#[test]
fn packages_of_the_base_are_never_removed() {
    let archive = index("postfix 1; Provides: mta; Conflicts: mta\nexim 1; Provides: mta; Conflicts: mta");
    let error = chosen(&[("trixie", &archive)], "postfix", &[installed("exim", "1", "")]).unwrap_err();
    assert_eq!(error, "it cannot be installed without removing `exim` from the base");
}

#[test]
fn essential_packages_and_single_packages_can_be_asked_for() {
    let archive =
        index("a 1; Depends: b\nb 1\ne 1; Essential: yes; Depends: b\nf 1; Essential: yes\ng 1; Protected: yes");
    let universe = Universe::new("amd64", vec![Source { suite: "trixie", component: "main", index: &archive }]);
    let ask = |wanted, essential, dependencies| {
        let request = Request { wanted: requests(wanted), essential, dependencies, installed: Vec::new() };
        let found = resolve(&universe, &request).unwrap();
        found.iter().map(|at| at.package.name()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ask("a", true, true), "a b e f");
    assert_eq!(ask("a", false, false), "a");
    assert_eq!(ask("", true, false), "e f");
    assert_eq!(ask("", false, true), "");
}

#[test]
fn a_virtual_name_stands_for_its_only_provider() {
    assert_eq!(names("a 1; Provides: v", "v").unwrap(), "a");
    let error = names("b 1; Provides: v\na 1; Provides: v", "v").unwrap_err();
    assert_eq!(error, "`v` is no package of its own; it is provided by `a`, `b`");
}

#[test]
fn an_unknown_name_is_told_with_its_neighbour() {
    let error = names("libfoo1 1\nlibbar1 1", "libfoo2").unwrap_err();
    assert_eq!(error, "package `libfoo2` is not in trixie/main (amd64); did you mean `libfoo1`?");
    let error = names("libfoo1 1", &"x".repeat(5000)).unwrap_err();
    assert!(!error.contains("mean"), "{error}");
}

#[test]
fn what_cannot_be_satisfied_is_told_with_its_chain() {
    let error = names("web 1; Depends: app\napp 1; Depends: b (>= 2)\nb 1.9", "web").unwrap_err();
    assert_eq!(error, "`web` needs `app`; `app` needs `b (>= 2)`; there is `b` 1.9 in trixie");
    let error = names("app 1; Depends: gone", "app").unwrap_err();
    assert_eq!(error, "`app` needs `gone`; there is no `gone` for amd64");
    let error = names("app 1; Depends: v (>= 1)\np 1; Provides: v", "app").unwrap_err();
    assert_eq!(error, "`app` needs `v (>= 1)`; `v` is only provided by `p` without a version");
}

#[test]
fn a_conflict_is_told_with_both_chains() {
    let error = names("a 1; Depends: m\nm 1; Depends: x\nb 1; Depends: y\nx 1\ny 1; Conflicts: x", "a b").unwrap_err();
    assert_eq!(error, "`y` conflicts with `x`, but `x` is needed too (`b` needs `y`; `a` needs `m`; `m` needs `x`)");
    let error = names("a 1; Breaks: b (<< 2)\nb 1", "a b").unwrap_err();
    assert_eq!(error, "`a` breaks `b (<< 2)`, but `b` is needed too (`a` is wanted; `b` is wanted)");
}

#[test]
fn a_relation_that_cannot_be_read_is_an_error_only_where_it_matters() {
    let lines = "a 1; Depends: b\nb 1; Depends: c (=\nz 1; Depends: !!";
    let error = names(lines, "a").unwrap_err();
    assert_eq!(error, "package `b`: Depends cannot be read");
    assert_eq!(names("a 1\nz 1; Depends: !!", "a").unwrap(), "a");
}

#[test]
fn a_chain_without_end_is_no_crash() {
    let lines: Vec<String> = (0..5000).map(|i| format!("p{i} 1; Depends: p{}", i + 1)).collect();
    assert!(names(&lines.join("\n"), "p0").is_err());
}

#[test]
fn what_recommends_remains_keeps_them_and_the_obsolete_weighs_little() {
    // `maple` conflicts with `kiwi` that it needs; it would outweigh it if `ash`, which no suite has in this version, had its weight.
    let archive = index(
        "kiwi 1; Priority: required; Depends: maple; Provides: v-mail
        plum 2; Priority: required; Recommends: kiwi
        fig 1; Priority: required; Provides: maple
        oak 3; Priority: standard; Depends: maple
        ash 1; Priority: required
        maple 1; Depends: v-mail; Conflicts: v-mail",
    );
    let base = [
        installed("plum", "1.5", "Priority: required\nDepends: ash"),
        installed("ash", "1.5", "Priority: required\nRecommends: maple"),
    ];
    assert_eq!(chosen(&[("trixie", &archive)], "oak plum", &base).unwrap(), "fig=1 kiwi=1 oak=3 plum=2");
}

#[test]
fn a_repair_reaches_packages_that_nobody_spoke_of_before() {
    let lines = "ash 2; Depends: v-mail | kiwi
        oak 1; Conflicts: yew
        yew 1; Provides: v-mail
        kiwi 1; Depends: plum
        plum 1";
    assert_eq!(names(lines, "ash oak").unwrap(), "ash kiwi oak plum");
}

#[test]
fn binaries_of_one_source_are_upgraded_together() {
    // In the order in which the archive names them: `fig` is upgraded before `elm` turns out to break it.
    let archive = index(
        "plum 1\nfig 3; Source: one (1); Conflicts: mail\nelm 2; Source: one (1); Breaks: fig\nkiwi 2; Source: one (1)",
    );
    let base = [
        installed("elm", "1.5", "Depends: fig"),
        installed("fig", "1.5", ""),
        installed("plum", "2.5", "Source: one (1)\nDepends: elm | fig"),
    ];
    let error = chosen(&[("trixie", &archive)], "plum", &base).unwrap_err();
    assert_eq!(error, "it cannot be installed without removing `fig` from the base");
}

//! What a right recipe means: every value of the language, and what recipes inherit.

use super::{WHOLE, parse, project};
use remint::recipe::{Configure, LayerKind, Owner, Recipe, RecipeFile, Source, Written, parse_recipes, render};

#[test]
fn the_whole_language_is_understood() {
    let recipe = parse(WHOLE).unwrap_or_else(|findings| panic!("{}", render(&findings, false)));
    assert_eq!(format!("{:?}", recipe.platforms), "[linux/amd64, linux/arm64]");
    let lines: Vec<usize> = recipe.layers.iter().map(|layer| layer.line).collect();
    let written = WHOLE.lines().zip(1..).filter(|(line, _)| *line == "[[layer]]");
    assert_eq!(lines, written.map(|(_, number)| number).collect::<Vec<usize>>());

    let LayerKind::Packages(packages) = &recipe.layers[0].kind else { panic!("{:?}", recipe.layers[0]) };
    let wanted: Vec<String> = packages.wanted.iter().map(ToString::to_string).collect();
    assert_eq!(wanted, ["ca-certificates", "libstdc++6", "nginx=1.26.*"]);
    assert_eq!(packages.exclude, ["/usr/share/info/*", "doc", "man"]);
    assert!(packages.essential && packages.dependencies);
    let LayerKind::Packages(packages) = &recipe.layers[1].kind else { panic!("{:?}", recipe.layers[1]) };
    assert_eq!((packages.archive.as_str(), packages.configure), ("ours", Configure::None));

    let LayerKind::Copy(copy) = &recipe.layers[2].kind else { panic!("{:?}", recipe.layers[2]) };
    assert_eq!((copy.from.as_str(), copy.mode), ("../../shared/app", Some(0o640)));
    assert_eq!(copy.owner, Owner { uid: 10001, gid: 33 });
    assert_eq!(copy.exclude, ["**/__pycache__", "*.swp"]);
    let LayerKind::Copy(copy) = &recipe.layers[3].kind else { panic!("{:?}", recipe.layers[3]) };
    assert_eq!((copy.from.as_str(), &copy.to), (".", &None));

    let LayerKind::Write(write) = &recipe.layers[4].kind else { panic!("{:?}", recipe.layers[4]) };
    assert_eq!(write["etc/motd"], Written::Text { text: "hello\n".to_owned(), owner: Owner::default(), mode: 0o644 });
    assert_eq!(
        write["etc/app/link"],
        Written::Link { target: "../motd".to_owned(), owner: Owner { uid: 33, gid: 33 } }
    );
    assert_eq!(write["var/lib/app"], Written::Directory { owner: Owner { uid: 10001, gid: 777 }, mode: 0o2750 });

    assert!(matches!(&recipe.sources["zlib"], Source::Url { sha256: Some(_), .. }));
    assert_eq!(recipe.config.exposed_ports, ["443", "80", "8080/udp"]);
    assert_eq!(recipe.config.cmd, Some(Vec::new()));
    assert_eq!(recipe.config.stop_signal.as_deref(), Some("SIGRTMIN+3"));
}

#[test]
fn recipes_inherit_in_order() {
    let file = |name, path, text| RecipeFile { name, path, text };
    let files = [
        file(
            "app",
            "recipes/app/recipe.toml",
            "from = \"mid\"\n[config]\nuser = \"svc:logs\"\n[[layer]]\ncopy = \"x\"\nto = \"/x\"\nowner = \"svc\"",
        ),
        file("zbase", "recipes/zbase/recipe.toml", "[users.svc]\nuid = 900\n[groups]\nlogs = 901"),
        file("mid", "recipes/mid/recipe.toml", "from = \"zbase\"\nplatforms = [\"linux/arm64\"]\n"),
    ];
    let findings = parse_recipes(&project(), &files).expect_err("app is for both platforms, mid for one");
    assert_eq!(findings.all().len(), 1, "{findings}");
    let mut files = files;
    files[2].text = "from = \"zbase\"\n";
    let recipes = parse_recipes(&project(), &files).unwrap_or_else(|e| panic!("{}", render(&e, false)));
    let names = |list: Vec<&Recipe>| list.iter().map(|recipe| recipe.name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(recipes.iter().collect()), ["app", "mid", "zbase"]);
    assert_eq!(names(recipes.chain("app")), ["zbase", "mid", "app"]);
    assert_eq!(names(recipes.bases_first()), ["zbase", "mid", "app"]);
    assert_eq!(recipes.file("app"), Some("recipes/app/recipe.toml"));
    assert_eq!((recipes.folder("app"), recipes.folder("none")), (Some("recipes/app"), None));
    let app = recipes.get("app").expect("it is there");
    assert_eq!(app.platforms, project().platforms);
    let LayerKind::Copy(copy) = &app.layers[0].kind else { panic!("{:?}", app.layers[0]) };
    assert_eq!(copy.owner, Owner { uid: 900, gid: 900 });
    assert_eq!(recipes.nearest("aap").map(ToString::to_string).as_deref(), Some("app"));
}

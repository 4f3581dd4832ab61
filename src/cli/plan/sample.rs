//! Plans to draw in tests.

use super::{Graph, Node, State};

pub(super) fn node(id: &str, kind: &str, state: State) -> Node {
    let images = vec!["image".to_owned()];
    Node { id: id.into(), label: id.into(), kind: kind.into(), key: None, images, state, folds: false }
}

/// Images of one packages layer and one copied layer each; every image but the first stands on the first.
pub(super) fn images(images: usize, packages: usize) -> Graph {
    let mut nodes = Vec::new();
    let mut edges = Vec::new();
    let mut add = |id: String, kind: &str, image: usize, cached: bool, inputs: Vec<String>| {
        let state = if cached { State::Cached } else { State::ToDo };
        let mut node = node(&id, kind, state);
        node.images = vec![format!("image{image} linux/amd64")];
        node.folds = matches!(kind, "fetch" | "unpack");
        nodes.push(node);
        edges.extend(inputs.into_iter().map(|input| (input, id.clone())));
        id
    };
    let mut base = None;
    for image in 0..images {
        let cached = image == 0;
        let unpacked: Vec<String> = (0..packages)
            .map(|package| {
                let name = format!("libpackage{package} 1.{package}-{image} (amd64)");
                let fetched = add(format!("fetch {name}"), "fetch", image, true, vec![]);
                add(format!("unpack {name}"), "unpack", image, package < packages / 2, vec![fetched])
            })
            .collect();
        let natives = add(format!("configure image{image}"), "configure", image, cached, unpacked.clone());
        let mut inputs = unpacked;
        inputs.push(natives);
        inputs.extend(base.clone());
        let layer = add(format!("layer 1 of image{image}"), "layer", image, cached, inputs);
        let packed = add(format!("compress layer 1 of image{image}"), "compress", image, cached, vec![layer.clone()]);
        let copied = add(format!("copy app for image{image}"), "copy", image, cached, vec![]);
        let second = add(format!("compress layer 2 of image{image}"), "compress", image, cached, vec![copied]);
        let mut inputs = vec![packed.clone(), second];
        inputs.extend(base.clone());
        add(format!("image image{image} linux/amd64"), "image", image, cached, inputs);
        base.get_or_insert(packed);
    }
    Graph::new(nodes, &edges).expect("the sample is a plan")
}

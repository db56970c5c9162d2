//! Rooted trees, by which the conditions for the order of one-step methods are written.

/// A rooted tree as the trees that hang on its root.
#[derive(Clone, PartialEq, PartialOrd)]
pub struct Tree(pub Vec<Tree>);

impl Tree {
    /// Number of nodes.
    pub fn order(&self) -> usize {
        1 + self.0.iter().map(Tree::order).sum::<usize>()
    }

    /// The density: the order times the densities of the branches.
    pub fn density(&self) -> f64 {
        self.0.iter().fold(self.order() as f64, |product, branch| product * branch.density())
    }
}

/// All rooted trees of up to `order` nodes.
pub fn trees(order: usize) -> Vec<Tree> {
    /// Every way to hang trees with `nodes` nodes in all, none before `from` in the list.
    fn hang(smaller: &[Tree], nodes: usize, from: usize, branches: &mut Vec<Tree>, out: &mut Vec<Tree>) {
        if nodes == 0 {
            out.push(Tree(branches.clone()));
        }
        for (k, tree) in smaller.iter().enumerate().skip(from).filter(|(_, tree)| tree.order() <= nodes) {
            branches.push(tree.clone());
            hang(smaller, nodes - tree.order(), k, branches, out);
            branches.pop();
        }
    }
    let mut all: Vec<Tree> = Vec::new();
    for nodes in 1..=order {
        let mut new = Vec::new();
        hang(&all, nodes - 1, 0, &mut Vec::new(), &mut new);
        all.extend(new);
    }
    all
}

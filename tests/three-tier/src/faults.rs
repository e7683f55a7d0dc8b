//! What fails: lines, power, processes, indexes.

use rand::Rng as _;

use crate::{Post, World};

impl World {
    pub(crate) fn fail(&mut self) {
        let post = *Post::ALL
            .get(self.rng.random_range(0..Post::ALL.len()))
            .expect("one of all");
        match self.rng.random_range(0..100) {
            0..25 => {
                let lines = [
                    (Post::Town(0), Post::Prefecture),
                    (Post::Town(1), Post::Prefecture),
                    (Post::Town(2), Post::Prefecture),
                ];
                let others = [
                    (Post::Prefecture, Post::National),
                    (Post::Terminal, Post::National),
                ];
                let line = lines
                    .iter()
                    .chain(&others)
                    .nth(self.rng.random_range(0..5))
                    .copied()
                    .expect("one of five");
                let long = self.rng.random_bool(0.3);
                let until = self.now_ms
                    + if long {
                        self.rng.random_range(5_000..25_000)
                    } else {
                        self.rng.random_range(20..2_000)
                    };
                self.network.cut(line, until);
                self.counts.cuts += 1;
            }
            25..35 if self.node(post).is_up() => {
                self.counts.stops += 1;
                let now_ms = self.now_ms;
                if let Err(error) = self.node_mut(post).stop(now_ms)
                    && !self.node(post).power.failed()
                {
                    self.violations
                        .push(format!("{} does not stop: {error}", post.name()));
                }
                self.down(post);
            }
            35..42 if self.node(post).is_up() => {
                self.counts.kills += 1;
                self.node_mut(post).kill(false);
                self.down(post);
            }
            42..48 if self.node(post).is_up() => self.node(post).index.break_down(),
            48..85 if self.node(post).is_up() => {
                // Somewhere in the writes and syncs of the next turns.
                let operations = self.rng.random_range(0..8);
                self.node_mut(post).power.fail_after(operations);
            }
            _ if self.node(post).is_up() => self.lose_power(post),
            _ => {}
        }
    }

    /// Cuts a node's power and lets it start again after a while.
    pub fn lose_power(&mut self, post: Post) {
        let seed = self.rng.random();
        let batches = self.node(post).index.batches();
        let kept = match self.rng.random_range(0..3) {
            0 => 0,
            1 => batches,
            _ => self.rng.random_range(0..=batches),
        };
        self.node_mut(post).lose_power(seed, kept);
        self.counts.power_losses += 1;
        self.down(post);
    }

    pub(crate) fn down(&mut self, post: Post) {
        if post == Post::Terminal {
            self.terminal.forget();
        }
        let node = self.nodes.get_mut(&post).expect("every post has a node");
        node.power.restore();
        node.inbox.clear();
        let pause = if self.rng.random_bool(0.7) {
            self.rng.random_range(4..400)
        } else {
            self.rng.random_range(400..6_000)
        };
        self.starts.insert(post, self.now_ms + pause);
    }
}

package export

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"karri/blockstore/volume"
	"karri/shared/crash"
	"karri/shared/id"
)

// named is a node of the daemon's graph.
type named struct {
	Name string `json:"node-name"`
	RO   bool   `json:"ro"`
}

func (m *monitor) nodes() (map[string]named, error) {
	var list []named
	if err := m.run("query-named-block-nodes", object{"flat": true}, &list); err != nil {
		return nil, err
	}
	all := map[string]named{}
	for _, n := range list {
		all[n.Name] = n
	}
	return all, nil
}

// root returns the node that takes the writes.
func (m *monitor) root() (string, error) {
	var exports []struct {
		ID   string
		Node string `json:"node-name"`
	}
	if err := m.run("query-block-exports", object{}, &exports); err != nil {
		return "", err
	}
	for _, e := range exports {
		if e.ID == exportID {
			return e.Node, nil
		}
	}
	return "", NotServed
}

// Push implements Exporter. A layer is opened without what is below it and
// then put on top in one step; a push that was cut off goes on where it was.
func (d *Daemons) Push(ctx context.Context, v id.Volume, layers []volume.Layer) error {
	return d.talk(ctx, v, func(m *monitor) error {
		nodes, err := m.nodes()
		if err != nil {
			return err
		}
		root, err := m.root()
		if err != nil {
			return err
		}
		at := slices.IndexFunc(layers, func(l volume.Layer) bool { return node(l) == root })
		if at < 0 {
			return fmt.Errorf("volume %s: writes go to %s, which is no layer of it", v, root)
		}
		for at++; at < len(layers); at++ {
			if err := m.cancelMerges(); err != nil {
				return err
			}
			if err := d.put(m, nodes, layers[at], root); err != nil {
				return err
			}
			root = node(layers[at])
		}
		crash.Here("blockstore.export.pushed")
		return d.settle(m, layers)
	})
}

// put makes a layer take the writes instead of root.
func (d *Daemons) put(m *monitor, nodes map[string]named, l volume.Layer, root string) error {
	file := d.fileNode(l)
	if _, ok := nodes[file["node-name"].(string)]; !ok {
		if err := m.run("blockdev-add", file, nil); err != nil {
			return err
		}
	}
	if _, ok := nodes[node(l)]; !ok {
		if err := m.run("blockdev-add", d.layerNode(l, nil, false), nil); err != nil {
			return err
		}
	}
	return m.run("blockdev-snapshot", object{"node": root, "overlay": node(l)}, nil)
}

// settle opens the frozen layers anew for reading only: that writes out what
// the daemon still held of them in memory.
func (d *Daemons) settle(m *monitor, layers []volume.Layer) error {
	nodes, err := m.nodes()
	if err != nil {
		return err
	}
	for i, l := range layers[:len(layers)-1] {
		if n, ok := nodes[node(l)]; !ok || n.RO {
			continue
		}
		if err := m.run("blockdev-reopen", object{"options": []object{d.layerNode(l, layers[:i], true)}}, nil); err != nil {
			return err
		}
	}
	return nil
}

// job is a merge that runs in the daemon.
type job struct {
	ID     string
	Status string
	Error  string
}

func (m *monitor) jobs() ([]job, error) {
	var all []job
	return all, m.run("query-jobs", object{}, &all)
}

// cancelMerges makes way for a push: a merge may be begun again at any time,
// a snapshot is wanted now.
func (m *monitor) cancelMerges() error {
	for {
		all, err := m.jobs()
		if err != nil || len(all) == 0 {
			return err
		}
		for _, j := range all {
			command := "job-cancel"
			if j.Status == "concluded" {
				command = "job-dismiss"
			}
			if err := m.run(command, object{"id": j.ID}, nil); err != nil {
				return err
			}
		}
		time.Sleep(10 * time.Millisecond) // the job ends on its own; QMP has no call that waits
	}
}

// Merge implements Exporter.
func (d *Daemons) Merge(ctx context.Context, v id.Volume, layers []volume.Layer, layer int) error {
	at := slices.IndexFunc(layers, func(l volume.Layer) bool { return l.Number == layer })
	if at <= 0 {
		return nil
	}
	if at == len(layers)-1 {
		return fmt.Errorf("volume %s: layer %d takes the writes", v, layer)
	}
	started := false
	for {
		merged, running := false, false
		err := d.talk(ctx, v, func(m *monitor) (err error) {
			if running, err = m.merging(); err != nil || running {
				return err
			}
			if merged, err = m.forget(layers[at]); err != nil || merged {
				return err
			}
			if started {
				return Interrupted
			}
			root, err := m.root()
			if err != nil {
				return err
			}
			started = true
			return m.run("block-commit", object{"job-id": "merge", "device": root, "top-node": node(layers[at]),
				"base-node": node(layers[at-1]), "backing-file": fmt.Sprintf("%d.%s", layers[at-1].Number, layers[at-1].Format),
				"auto-dismiss": false}, nil)
		})
		if err != nil || merged {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// merging reports whether a merge runs, and takes the result of one that ended.
func (m *monitor) merging() (bool, error) {
	all, err := m.jobs()
	if err != nil || len(all) == 0 {
		return false, err
	}
	if all[0].Status != "concluded" {
		return true, nil
	}
	if err := m.run("job-dismiss", object{"id": all[0].ID}, nil); err != nil {
		return false, err
	}
	if all[0].Error != "" {
		return false, fmt.Errorf("merge: %s", all[0].Error)
	}
	return false, nil
}

// forget closes a layer if it is no more a part of the volume, and reports
// whether that is so: the daemon refuses to close one that is.
func (m *monitor) forget(l volume.Layer) (bool, error) {
	nodes, err := m.nodes()
	if err != nil {
		return false, err
	}
	if _, ok := nodes[node(l)]; ok && m.run("blockdev-del", object{"node-name": node(l)}, nil) != nil {
		return false, nil
	}
	if file := "f" + strconv.Itoa(l.Number); nodes[file].Name != "" {
		return true, m.run("blockdev-del", object{"node-name": file}, nil)
	}
	return true, nil
}

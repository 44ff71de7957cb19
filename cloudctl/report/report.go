// Package report keeps the latest report of each zone and tells, from a record
// and what was reported, the state that a user reads.
//
// Reports live in memory alone: they can be asked for again at any time, so a
// crash loses nothing. Each carries the time at which it was heard; one that
// is old is still the best that is known, and is shown with its age. States
// are pure functions of what is wanted, what must be remembered and what is
// seen; none is stored, so none can be stale or contradict the wish.
package report

import (
	"maps"
	"slices"
	"sync"
	"time"

	"karri/shared/id"
	"karri/shared/wire"
)

// Old is the age at which a report no longer proves that a zone is well.
const Old = 45 * time.Second

// Latest holds the newest report of each zone. The zero Latest is ready; its
// methods may be called by several goroutines. A report that was put is shared
// by all readers: none may change it.
type Latest struct {
	mu       sync.RWMutex
	clusters map[string]Cluster
	blocks   map[string]Block
}

// Cluster is what a zone's clusterctl said, and when it was heard.
type Cluster struct {
	wire.ClusterReport
	Heard time.Time // zero: never
}

// Block is what a zone's blockstore said, and when it was heard.
type Block struct {
	wire.BlockReport
	Heard time.Time
}

// PutCluster remembers the report of a zone's clusterctl.
func (l *Latest) PutCluster(zone string, r wire.ClusterReport, heard time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.clusters == nil {
		l.clusters = map[string]Cluster{}
	}
	l.clusters[zone] = Cluster{r, heard}
}

// PutBlock remembers the report of a zone's blockstore.
func (l *Latest) PutBlock(zone string, r wire.BlockReport, heard time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.blocks == nil {
		l.blocks = map[string]Block{}
	}
	l.blocks[zone] = Block{r, heard}
}

// Cluster returns the latest report of a zone's clusterctl; its zero when none
// was heard since the start.
func (l *Latest) Cluster(zone string) Cluster {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.clusters[zone]
}

// Block returns the latest report of a zone's blockstore.
func (l *Latest) Block(zone string) Block {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.blocks[zone]
}

// Zones returns the zones that a cluster report was heard from.
func (l *Latest) Zones() []string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return slices.Sorted(maps.Keys(l.clusters))
}

// Instance returns what is seen of an instance in a zone, and whether the
// zone's cluster names it at all.
func (l *Latest) Instance(zone string, instance id.Instance) (wire.InstanceSeen, bool) {
	s, ok := l.Cluster(zone).Instances[instance]
	return s, ok
}

package setting

import (
	"sync"

	"karri/walrus/index"
)

// maxCached bounds the memory of a Cache, in buckets.
const maxCached = 10_000

// A Cache keeps the settings of buckets in their parsed form. Its zero value is
// ready.
type Cache struct {
	mu  sync.Mutex
	all map[string]cached
}

type cached struct {
	revision uint64
	settings *All
}

// Of returns the settings of a bucket as its row has them. They are shared and
// must not be changed.
func (c *Cache) Of(b *index.Bucket) (*All, error) {
	c.mu.Lock()
	known, ok := c.all[b.Name]
	c.mu.Unlock()
	if ok && known.revision == b.Revision {
		return known.settings, nil
	}
	a, err := Read(b)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[string]cached{}
	}
	if len(c.all) >= maxCached { // rare: any one goes
		for name := range c.all {
			delete(c.all, name)
			break
		}
	}
	c.all[b.Name] = cached{b.Revision, a}
	return a, nil
}

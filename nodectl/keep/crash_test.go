package keep

import (
	"maps"
	"testing"

	"karri/nodectl/host"
	"karri/shared/id"
	"karri/shared/life/lifetest"
	"karri/shared/wire"
)

// wishes are all that an order may turn to.
var wishes = map[string]func(*wire.Instance){
	"running":  func(o *wire.Instance) { o.Want = wire.Running },
	"stopped":  func(o *wire.Instance) { o.Want = wire.Stopped },
	"forced":   func(o *wire.Instance) { o.Want, o.Force = wire.Stopped, true },
	"gone":     func(o *wire.Instance) { o.Want = wire.Gone },
	"rebooted": func(o *wire.Instance) { o.Reboots++ },
	"with a volume": func(o *wire.Instance) {
		o.Volumes = map[id.Volume]wire.Attachment{disk: attachment(1, true)}
	},
	"with a volume of another epoch": func(o *wire.Instance) {
		o.Volumes = map[id.Volume]wire.Attachment{disk: attachment(2, true)}
	},
	"without volumes": func(o *wire.Instance) { o.Volumes = nil },
}

// asWished checks that the world is what the order wants.
func (b *bench) asWished(t testing.TB) {
	t.Helper()
	o, s, r := b.book.all[one], b.seen(), b.report()
	if w := b.fake.Wrong(); len(w) > 0 {
		t.Error(w)
	}
	switch o.Want {
	case wire.Gone:
		if s.Disk || s.Machine != host.Absent || r.State != wire.InstanceGone {
			t.Errorf("not gone: %+v %+v", s, r)
		}
	case wire.Stopped:
		if s.Machine.On() || r.State != wire.InstanceStopped {
			t.Errorf("not stopped: %+v %+v", s, r)
		}
	case wire.Running:
		if !s.Disk || !s.Net || s.Machine != host.Running || r.State != wire.InstanceRunning || r.Reboots != o.Reboots {
			t.Errorf("not running: %+v %+v", s, r)
		}
		volumes := map[id.Volume]wire.VolumePlugged{}
		for v, a := range o.Volumes {
			volumes[v] = wire.VolumePlugged{Epoch: a.Epoch, Device: a.Device}
		}
		if !maps.Equal(volumes, s.Volumes) {
			t.Errorf("volumes %+v, want %+v", s.Volumes, volumes)
		}
	}
}

// TestCrashesAnywhereAreHealed takes an instance from each wish to each other,
// with a crash of the keeper at every point of both ways.
func TestCrashesAnywhereAreHealed(t *testing.T) {
	points := 0
	for name, from := range wishes {
		for other, to := range wishes {
			if name == "gone" && other != "gone" {
				continue // nothing comes after that
			}
			points += lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
				b := newBench(t, fuse)
				b.want(wire.Running)
				b.book.order(one, from)
				return func() error {
						b.restart()
						if err := b.rest(); err != nil {
							return err
						}
						b.book.order(one, to)
						return b.rest()
					}, func(t testing.TB) {
						b.asWished(t)
					}
			})
		}
	}
	t.Logf("crashed at %d points", points)
}

// TestWishesMayChangeAnywhere turns each wish into each other at every point on
// the way to the first, where a step is cut off: of a keeper that lives on, and
// of one that crashes.
func TestWishesMayChangeAnywhere(t *testing.T) {
	points := 0
	for _, c := range []struct {
		start   wire.Want
		crashes bool
	}{{"", false}, {"", true}, {wire.Running, false}, {wire.Running, true}} {
		for name, from := range wishes {
			for other, to := range wishes {
				if name == "gone" && other != "gone" {
					continue
				}
				n := lifetest.Everywhere(t, func(fuse *lifetest.Fuse) (func() error, func(testing.TB)) {
					b := newBench(t, nil)
					b.want(wire.Running)
					if c.start != "" {
						b.must(b.rest())
					}
					b.fake.Fuse, b.notes.fuse = fuse, fuse
					b.book.order(one, from)
					began := false
					return func() error {
							if began { // after the crash: another wish
								b.book.order(one, to)
							}
							if began = true; c.crashes {
								b.restart()
							}
							return b.rest()
						}, func(t testing.TB) {
							t.Helper()
							b.asWished(t)
							if t.Failed() {
								t.Fatalf("from %s to %s", name, other)
							}
						}
				})
				points += n
			}
		}
	}
	t.Logf("changed at %d points", points)
}

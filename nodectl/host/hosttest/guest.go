package hosttest

import (
	"karri/nodectl/host"
	"karri/shared/id"
)

// What happens to a host by itself, or by those who have their hands on it.

// PowerOff makes the guest of i switch its machine off.
func (f *Fake) PowerOff(i id.Instance) { f.happen(i, func(b *body) { b.switchOff(host.OffByGuest) }) }

// Crash ends the QEMU process of i.
func (f *Fake) Crash(i id.Instance) { f.happen(i, func(b *body) { b.switchOff(host.OffByCrash) }) }

// Deafen makes the guest of i hear its power button, or not.
func (f *Fake) Deafen(i id.Instance, deaf bool) { f.happen(i, func(b *body) { b.deaf = deaf }) }

// Break makes a disk of i give I/O errors, or give them no more.
func (f *Fake) Break(i id.Instance, broken bool) {
	f.happen(i, func(b *body) {
		if b.broken = broken; broken && b.Machine == host.Running {
			b.Machine = host.Halted
		}
	})
}

// LoseDisk removes the disk of i, as only a broken host does.
func (f *Fake) LoseDisk(i id.Instance) { f.happen(i, func(b *body) { b.Disk = false }) }

func (f *Fake) happen(i id.Instance, what func(*body)) {
	f.look(i, what)
	f.mu.Lock()
	nudge := f.nudge
	f.mu.Unlock()
	if nudge != nil {
		nudge(i)
	}
}

// RebootHost ends every machine and begins another boot.
func (f *Fake) RebootHost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boot++
	for _, b := range f.bodies {
		b.switchOff(host.OffUnknown)
	}
}

// RestartLibvirt makes the host forget why machines are off.
func (f *Fake) RestartLibvirt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.bodies {
		if b.Machine == host.Down {
			b.Off = host.OffUnknown
		}
	}
}

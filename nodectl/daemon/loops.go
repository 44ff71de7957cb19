package daemon

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// repair is how often the network is compared with the orders when nothing
// happened.
const repair = 10 * time.Second

// followOrders brings the network to each new list of orders, then has the
// instances looked at.
func (n *node) followOrders(ctx context.Context) error {
	for {
		changed := n.book.Changed()
		orders, gen := n.book.Orders()
		applied, err := gen, error(nil)
		if n.net != nil { // a pretended host has no network
			applied, err = n.net.Sync(ctx, gen, orders)
		}
		trouble := ""
		if err != nil && ctx.Err() == nil {
			n.Log.Error("the network is not as ordered", "generation", gen, "err", err)
			trouble = "network: " + fault.Of(err).Text
		}
		n.applied.Store(applied)
		n.trouble.Store(&trouble)
		n.runner.Nudge()
		wait := repair
		if err != nil {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-time.After(wait):
		}
	}
}

func (n *node) networkReady(context.Context) error {
	switch t := n.trouble.Load(); {
	case t == nil:
		return errors.New("not set up yet")
	case *t != "":
		return errors.New(*t)
	}
	return nil
}

// report shows what is seen whenever something was looked at.
func (n *node) report(ctx context.Context) error {
	for {
		if _, err := n.board.Publish(n.nodeReport()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-n.keeper.Changed():
		case <-time.After(time.Second):
		}
		select { // several looks in a row are one report
		case <-ctx.Done():
			return nil
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (n *node) nodeReport() wire.NodeReport {
	h := wire.Host{Accelerator: string(n.verdict.Accelerator), Version: version(), Endpoint: n.endpoint, Total: n.total, Rules: n.applied.Load()}
	if t := n.trouble.Load(); t != nil {
		h.Trouble = *t
	}
	return wire.NodeReport{Host: map[string]wire.Host{n.c.Name: h}, Instances: n.keeper.Report(n.runner.Status)}
}

// version returns the commit that this program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return info.Main.Version
}

// Console implements api.Node.
func (n *node) Console(ctx context.Context, i id.Instance) ([]byte, error) {
	return n.host.Console(ctx, i)
}

// Explain implements api.Node.
func (n *node) Explain(ctx context.Context, thing string) (wire.Explanation, bool) {
	e := wire.Explanation{Tier: "nodectl " + n.c.Name}
	if thing == n.c.Name {
		n.explainSelf(&e)
		return e, true
	}
	known := n.keeper.Explain(&e, thing)
	if s, ok := n.runner.Status(thing); ok && known {
		e.SayFlow(s)
		for _, line := range n.net.Explain(ctx, id.Instance(thing)) {
			e.Say("%s", line)
		}
	}
	return e, known
}

func (n *node) explainSelf(e *wire.Explanation) {
	orders, gen := n.book.Orders()
	e.Say("orders of generation %d for %d instances; rules in force: generation %d", gen, len(orders.Instances), n.applied.Load())
	switch v := n.verdict; {
	case v.KVM == 0 && v.QEMU == 0:
		e.Say("accelerator %s, as configured", v.Accelerator)
	default:
		e.Say("accelerator %s: a probe guest spoke after %v with kvm and %v with qemu (0s: never)", v.Accelerator, v.KVM, v.QEMU)
	}
	e.Say("room for %d processors, %d MiB of memory, %d GiB of disk", n.total.VCPUs, n.total.MemoryMiB, n.total.DiskGiB)
	r := n.nodeReport()
	strays := []string{}
	for i, s := range r.Instances {
		if s.Stray {
			strays = append(strays, string(i))
		}
	}
	if slices.Sort(strays); len(strays) > 0 {
		e.Say("instances that no order names: %v", strays)
	}
	if t := r.Host[n.c.Name].Trouble; t != "" {
		e.Say("trouble: %s", t)
	}
}

// followCertificates gives QEMU the certificate by which volumes are opened,
// again when it was renewed.
func (n *node) followCertificates(ctx context.Context) error {
	for last := n.Self(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Minute):
		}
		if n.Self() == last {
			continue
		}
		if err := n.writeCertificates(); err != nil {
			n.Log.Error("cannot write the certificate for volumes", "err", err)
			continue
		}
		last = n.Self()
	}
}

func (n *node) writeCertificates() error {
	_, gid := n.lv.Owner()
	return n.Self().QEMU(n.lv.NBD, "client", 0, gid)
}

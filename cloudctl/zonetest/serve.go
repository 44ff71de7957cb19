package zonetest

import (
	"context"

	"karri/shared/wire"
)

// Stand is where a component keeps its orders and shows its report.
type Stand[Orders, Report any] struct {
	Book  *wire.Book[Orders]
	Board *wire.Board[Report]
}

// Run does what comes into the books and shows it on the boards, until ctx ends.
func (z *Zone) Run(ctx context.Context, cluster Stand[wire.ClusterOrders, wire.ClusterReport], block Stand[wire.BlockOrders, wire.BlockReport]) error {
	for {
		c, b := cluster.Book.Changed(), block.Book.Changed()
		if err := z.serve(ctx, cluster, block); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c:
		case <-b:
		}
	}
}

func (z *Zone) serve(ctx context.Context, cluster Stand[wire.ClusterOrders, wire.ClusterReport], block Stand[wire.BlockOrders, wire.BlockReport]) error {
	co, cgen := cluster.Book.Orders()
	bo, bgen := block.Book.Orders()
	if err := (Cluster{z}).Tell(ctx, cgen, co); err != nil {
		return err
	}
	if err := (Block{z}).Tell(ctx, bgen, bo); err != nil {
		return err
	}
	z.Work()
	c, err := Cluster{z}.Ask(ctx, 0)
	if err != nil {
		return err
	}
	b, err := Block{z}.Ask(ctx, 0)
	if err != nil {
		return err
	}
	if _, err := cluster.Board.Publish(c.Report); err != nil {
		return err
	}
	_, err = block.Board.Publish(b.Report)
	return err
}

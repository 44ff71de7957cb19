package exporttest_test

import (
	"testing"

	"karri/blockstore/export"
	"karri/blockstore/export/exporttest"
	"karri/blockstore/volume/volumetest"
	"karri/shared/id"
)

func TestFake(t *testing.T) {
	exporttest.Suite(t, func(t *testing.T) exporttest.World {
		disk := volumetest.New()
		f := exporttest.New(disk)
		return exporttest.World{
			Exporter: f,
			Disk:     disk,
			Write: func(ticket export.Ticket, off int64, p []byte) error {
				if f.Ticket(ticket.Volume) != ticket {
					return export.NotServed
				}
				return f.Write(ticket.Volume, off, p)
			},
			Kill: func(v id.Volume) {
				if err := f.Kill(v); err != nil {
					t.Fatal(err)
				}
			},
			Again: func() export.Exporter { return f },
		}
	})
}

package volumetest_test

import (
	"testing"

	"karri/blockstore/volume/volumetest"
	"karri/shared/id"
)

func TestFake(t *testing.T) {
	volumetest.Suite(t, func(t *testing.T) volumetest.World {
		f := volumetest.New()
		return volumetest.World{
			Engine: f,
			Write: func(v id.Volume, off int64, p []byte) error {
				s, err := f.Seen(t.Context(), v)
				if err != nil {
					return err
				}
				return f.Write(v, s.Top(), off, p)
			},
			Hold: func(v id.Volume) func() {
				if err := f.Hold(v, true); err != nil {
					t.Fatal(err)
				}
				return func() { _ = f.Hold(v, false) }
			},
		}
	})
}

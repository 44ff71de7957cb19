//go:build real

package probe

import "testing"

func TestThisMachineRunsGuests(t *testing.T) {
	v, err := Choose(t.Context(), t.TempDir(), "b", 64055, 64055)
	if err != nil || v.QEMU == 0 {
		t.Fatalf("%+v %v", v, err)
	}
	t.Logf("%+v", v)
}

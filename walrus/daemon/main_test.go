package daemon_test

import (
	"testing"

	"karri/walrus/daemon/walrustest"
)

func TestMain(m *testing.M) { walrustest.Main(m) }

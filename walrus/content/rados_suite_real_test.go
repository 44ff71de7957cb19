//go:build real && rados

package content_test

import (
	"testing"

	"karri/walrus/content"
	"karri/walrus/content/contenttest"
)

func TestRADOS(t *testing.T) {
	conf := content.StartCeph(t)
	t.Run("strays", func(t *testing.T) { content.Strays(t, conf) })
	t.Run("identity", func(t *testing.T) { content.PoolIdentity(t, conf) })
	open, bits, flip := content.Opened(conf)
	contenttest.Suite(t, contenttest.Maker{Open: open, Faults: true, Bits: bits, Flip: flip})
}

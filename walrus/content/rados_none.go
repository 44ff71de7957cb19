//go:build !rados

package content

import "errors"

func openRADOS(string, FilesOptions) (Store, error) {
	return nil, errors.New("this walrus is built without RADOS: build it with CGO_ENABLED=1 and -tags rados, where librados-dev is installed")
}

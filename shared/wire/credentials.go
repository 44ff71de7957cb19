package wire

import (
	"time"

	"karri/shared/id"
)

// Credentials are of the session that an instance has of its role. They travel
// when they are asked for, from cloudctl through clusterctl to the one node
// that the instance is on, and are kept in memory alone.
type Credentials struct {
	AccessKey string    `json:"accessKey"`
	Secret    string    `json:"secret"`
	Token     string    `json:"token"`
	Issued    time.Time `json:"issued"`
	Expires   time.Time `json:"expires"`
}

// CredentialsOf says what an instance's credentials are asked for with, at
// /v1/instances/ID/credentials: the association that it has the role by, as the
// asker knows it.
type CredentialsOf struct {
	Association string `json:"association"`
}

// NoRole is the code of the fault that an instance has no role, or none that it
// may take.
const NoRole = "NoRole"

// CredentialsPath is where the credentials of an instance are asked for.
func CredentialsPath(i id.Instance) string { return "/v1/instances/" + string(i) + "/credentials" }

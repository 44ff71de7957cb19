// Package wire is what the tiers say to each other: orders down, reports up.
//
// An order list is the whole of what a tier wants of the tier below, numbered
// by a generation that only grows; a report is the whole of what that tier
// sees. The receiver stores a list before it answers, so orders are a query
// that was written down, not a queue: nothing to drain, replay or lose.
//
// Every orders and report type is a struct of sections, each a map from a
// thing's id to its record. That form is all that a Peer needs to know to send
// only what changed.
//
// Silence never kills: a thing that a list no longer names is left as it is
// (a node reports it as stray). Only Want Gone ends a thing.
//
// A report names whatever the orders name: a thing that is wished gone is
// reported gone, also one that was never there, until the orders no longer
// name it. One that the report lacks has not been looked at yet; so the teller
// goes on wishing it gone, and forgets it only when it is reported gone.
package wire

import (
	"context"
	"net/netip"
	"time"

	"karri/shared/id"
	"karri/shared/life"
)

// A Peer is the tier below. Tell gives it the whole list of wishes; Ask waits
// until what it sees differs from what was seen at version since (0: do not
// wait), and returns the whole.
//
// Tell is refused with fault "OldGeneration" (Conflict) when gen is older than
// the last one accepted. Seen.Accepted tells a teller that was restored from
// an old backup that it is behind.
type Peer[Orders, Report any] interface {
	Tell(ctx context.Context, gen uint64, o Orders) error
	Ask(ctx context.Context, since uint64) (Seen[Report], error)
}

// Seen is one answer of Ask.
type Seen[Report any] struct {
	Version  uint64 // of the report; pass it to the next Ask
	Accepted uint64 // the highest generation of orders that was accepted
	Report   Report
}

// A Want is what the tier above wishes of a thing.
type Want string

const (
	Running  Want = "running"  // an instance
	Stopped  Want = "stopped"  // an instance: its disk is kept
	Present  Want = "present"  // a volume, a snapshot
	Attached Want = "attached" // a volume, to an instance
	Detached Want = "detached"
	Gone     Want = "gone" // ended, and nothing of it left
)

// ClusterOrders is what cloudctl wants of the clusterctl of one zone.
type ClusterOrders struct {
	Instances map[id.Instance]Instance `json:"instances"`
	Networks  map[id.VPC]Network       `json:"networks"`
	Groups    map[id.Group]Group       `json:"groups"`
}

// Instance is the wish for one instance, the same on its way through
// clusterctl to the node that it is placed on.
type Instance struct {
	Account     string         `json:"account"`
	Reservation id.Reservation `json:"reservation"`
	Index       int            `json:"index"` // ami-launch-index
	Want        Want           `json:"want"`
	Force       bool           `json:"force,omitempty"`   // stop without asking the guest
	Reboots     uint64         `json:"reboots,omitempty"` // how often a reboot was asked; the node catches up
	Launched    time.Time      `json:"launched"`          // changes with each start that a user asks for: a guest that powered itself off is started again when it does

	Type      string `json:"type"` // t1.nano; VCPUs, MemoryMiB and DiskGiB are what it means
	VCPUs     int    `json:"vcpus"`
	MemoryMiB int    `json:"memoryMiB"`
	DiskGiB   int    `json:"diskGiB"`
	Image     Image  `json:"image"`

	Interfaces []Interface              `json:"interfaces"` // by device index; at least one
	Volumes    map[id.Volume]Attachment `json:"volumes,omitempty"`

	KeyName   string          `json:"keyName,omitempty"`
	PublicKey string          `json:"publicKey,omitempty"` // authorized_keys form
	UserData  []byte          `json:"userData,omitempty"`  // as given by the user, decoded
	Metadata  MetadataOptions `json:"metadata"`
	Groups    []string        `json:"groups,omitempty"` // names of security groups, for the metadata service
	Profile   *Profile        `json:"profile,omitempty"`
}

// Profile is the role of an instance. Its credentials are not here: the host
// asks for them when the guest does, and keeps them in memory alone.
type Profile struct {
	Association string `json:"association"` // changes with the role
	ARN         string `json:"arn"`
	ID          string `json:"id"`
	Role        string `json:"role"` // its name
}

// Image is where the bytes of an image are: an object of walrus that never
// changes, named by what is in it.
type Image struct {
	ID     id.Image `json:"id"`
	Bucket string   `json:"bucket"`
	Key    string   `json:"key"`
	SHA256 string   `json:"sha256"` // hex, of the object's bytes
	Format string   `json:"format"` // raw or qcow2; never guessed
	Bytes  int64    `json:"bytes"`  // size of the object
	GiB    int      `json:"gib"`    // virtual size, rounded up
}

// Interface is one network interface of an instance.
type Interface struct {
	ID          id.Interface `json:"id"`
	VPC         id.VPC       `json:"vpc"`
	Subnet      id.Subnet    `json:"subnet"`
	CIDR        netip.Prefix `json:"cidr"` // of the subnet
	MAC         string       `json:"mac"`
	Address     netip.Addr   `json:"address"`
	Hostname    string       `json:"hostname"`         // ip-10-0-0-5
	Public      netip.Addr   `json:"public,omitzero"`  // translated on the node; zero: none
	Groups      []id.Group   `json:"groups,omitempty"` // security groups
	SourceCheck bool         `json:"sourceCheck"`      // drop what is not from or to Address
}

// Attachment is the wish to have a volume plugged into an instance. Address
// and Export are empty until blockstore serves this epoch.
type Attachment struct {
	Want    Want   `json:"want"`              // Attached or Detached
	Device  string `json:"device"`            // /dev/sdf
	Epoch   uint64 `json:"epoch"`             // of the export; only grows for a volume
	Address string `json:"address,omitempty"` // host:port of the export's NBD server
	Export  string `json:"export,omitempty"`  // its name there
	SizeGiB int    `json:"sizeGiB"`
	Force   bool   `json:"force,omitempty"`
}

// MetadataOptions is how the metadata service answers an instance.
type MetadataOptions struct {
	Enabled        bool `json:"enabled"`
	TokensRequired bool `json:"tokensRequired"` // version 2 only
	HopLimit       int  `json:"hopLimit"`       // 1..64, TTL of the token's answer
}

// Network is a VPC as far as the hosts must know it.
type Network struct {
	Account string                     `json:"account"`
	VNI     uint32                     `json:"vni"` // of its VXLAN, unique in the cloud
	CIDR    netip.Prefix               `json:"cidr"`
	Subnets map[id.Subnet]netip.Prefix `json:"subnets"`
	Domain  string                     `json:"domain"` // DNS suffix of its hosts: us-east-1.compute.internal
}

// Group is a security group with its rules.
type Group struct {
	VPC     id.VPC `json:"vpc"`
	Ingress []Rule `json:"ingress"`
	Egress  []Rule `json:"egress"`
	// Far is the members that are not in this zone, for a group that a rule
	// names; clusterctl knows those that are.
	Far []netip.Addr `json:"far,omitempty"`
}

// Rule allows one kind of traffic with one peer: a range or the members of a group.
type Rule struct {
	Protocol string       `json:"protocol"` // tcp, udp, icmp, a number, or -1 for all
	From     int          `json:"from"`     // first port, or ICMP type; -1: any
	To       int          `json:"to"`       // last port, or ICMP code; -1: any
	CIDR     netip.Prefix `json:"cidr,omitzero"`
	Group    id.Group     `json:"group,omitempty"`
}

// ClusterReport is what a clusterctl sees of its zone.
type ClusterReport struct {
	Nodes     map[string]Node              `json:"nodes"`
	Instances map[id.Instance]InstanceSeen `json:"instances"`
	Groups    map[id.Group]GroupSeen       `json:"groups"`
	Authority map[string]Authority         `json:"authority,omitempty"` // one record, under the zone's name
}

// Authority is what a clusterctl says as the one who vouches for its nodes.
type Authority struct {
	Revoked string `json:"revoked,omitempty"` // the list, PEM, of their certificates that are not to be believed
}

// GroupSeen tells how far a group's rules have come.
type GroupSeen struct {
	Applied uint64 `json:"applied"` // generation of ClusterOrders that is in force on every node
}

// Node is a host and what it can carry.
type Node struct {
	Name        string    `json:"name"`
	State       NodeState `json:"state"`
	Seen        time.Time `json:"seen"`        // when it last answered
	Address     string    `json:"address"`     // host:port of its API
	Accelerator string    `json:"accelerator"` // kvm or qemu, by measurement
	Version     string    `json:"version"`
	Total       Capacity  `json:"total"`
	Used        Capacity  `json:"used"` // by what is placed on it
	Trouble     string    `json:"trouble,omitempty"`
}

// NodeState is the health of a node as its cluster sees it.
type NodeState string

const (
	Ready NodeState = "ready"
	Away  NodeState = "away" // does not answer; what runs there goes on
)

// Capacity is what instances use up.
type Capacity struct {
	VCPUs     int `json:"vcpus"`
	MemoryMiB int `json:"memoryMiB"`
	DiskGiB   int `json:"diskGiB"`
}

// InstanceSeen is what is known of an instance below cloudctl.
type InstanceSeen struct {
	State    InstanceState               `json:"state"`
	Node     string                      `json:"node,omitempty"`    // where it is placed; empty: nowhere yet
	Refused  map[string]string           `json:"refused,omitempty"` // why no node was good: node -> reason
	Stray    bool                        `json:"stray,omitempty"`   // it runs, and no order names it
	Lost     bool                        `json:"lost,omitempty"`    // its node was forgotten: nothing is served to it any more
	Reboots  uint64                      `json:"reboots,omitempty"` // the last reboot that was done
	Reason   string                      `json:"reason,omitempty"`  // why it is not as wished, in EC2's codes: Server.InternalError
	Started  time.Time                   `json:"started,omitzero"`
	Launched time.Time                   `json:"launched,omitzero"` // the wish to run that it last fulfilled
	Volumes  map[id.Volume]VolumePlugged `json:"volumes,omitempty"`
	Flow     life.Status                 `json:"flow"` // of the loop nearest to it
}

// InstanceState is what a host sees of an instance.
type InstanceState string

const (
	InstancePending  InstanceState = "pending"  // nothing runs yet
	InstanceRunning  InstanceState = "running"  // the domain runs
	InstanceStopping InstanceState = "stopping" // it runs, and is asked to end
	InstanceStopped  InstanceState = "stopped"  // nothing runs, its disk is kept
	InstanceGone     InstanceState = "gone"     // nothing of it is left
	InstanceBroken   InstanceState = "broken"   // it cannot be had: see Reason
)

// VolumePlugged is a volume that a running instance has.
type VolumePlugged struct {
	Epoch  uint64 `json:"epoch"`
	Device string `json:"device"`
}

// NodeOrders is what clusterctl wants of one nodectl.
type NodeOrders struct {
	Instances map[id.Instance]Instance  `json:"instances"` // those placed here
	Networks  map[id.VPC]Network        `json:"networks"`  // those an instance here is in
	Firewalls map[id.Interface]Firewall `json:"firewalls"` // of the interfaces here
	Remotes   map[id.Interface]Remote   `json:"remotes"`   // of the same networks, on other nodes
	Links     map[string]Link           `json:"links"`     // the zone's nodes by name, this one too
}

// Firewall is a security group's rules made flat for one interface.
type Firewall struct {
	In  []FlatRule `json:"in"`
	Out []FlatRule `json:"out"`
}

// FlatRule allows one kind of traffic with the hosts in Peers.
type FlatRule struct {
	Protocol string         `json:"protocol"` // as in Rule
	From     int            `json:"from"`
	To       int            `json:"to"`
	Peers    []netip.Prefix `json:"peers"`
}

// Remote is an interface of the same VPC on another node.
type Remote struct {
	VPC     id.VPC     `json:"vpc"`
	Address netip.Addr `json:"address"`
	Node    string     `json:"node"`
}

// Link is how nodes reach each other's instances.
type Link struct {
	Index    int        `json:"index"`    // unique in the zone, 1..65534, never used again
	Endpoint netip.Addr `json:"endpoint"` // where its VXLAN packets go
}

// NodeReport is what a nodectl sees.
type NodeReport struct {
	Host      map[string]Host              `json:"host"` // one record, under the node's name
	Instances map[id.Instance]InstanceSeen `json:"instances"`
}

// Host is what a node says of itself.
type Host struct {
	Accelerator string     `json:"accelerator"`
	Version     string     `json:"version"`
	Endpoint    netip.Addr `json:"endpoint"` // for VXLAN
	Total       Capacity   `json:"total"`
	Rules       uint64     `json:"rules"` // generation of NodeOrders whose packet rules are in force
	Trouble     string     `json:"trouble,omitempty"`
}

// BlockOrders is what cloudctl wants of the blockstore of one zone.
type BlockOrders struct {
	Volumes   map[id.Volume]Volume     `json:"volumes"`
	Exports   map[id.Volume]Export     `json:"exports"` // a volume not named here is to be served to nobody
	Snapshots map[id.Snapshot]Snapshot `json:"snapshots"`
}

// Volume is the wish for a volume.
type Volume struct {
	Account string      `json:"account"`
	Want    Want        `json:"want"` // Present or Gone
	SizeGiB int         `json:"sizeGiB"`
	From    id.Snapshot `json:"from,omitempty"` // made from this snapshot
	Zone    string      `json:"zone,omitempty"` // the zone that made the snapshot
}

// Export is the wish to serve a volume to one node.
type Export struct {
	Node  string `json:"node"`  // the node's name; only its certificate is admitted
	Epoch uint64 `json:"epoch"` // an older epoch is ended first, and never served again
	// Authority is the certificate, PEM, of the zone's clusterctl, which vouches
	// for the node, and after it the list of what it has revoked, if there is any;
	// empty: whoever the cloud's root vouches for is believed.
	Authority string `json:"authority,omitempty"`
}

// Snapshot is the wish for a snapshot. Where the volume is gone by the time it
// is looked at and no bytes were frozen, it fails.
type Snapshot struct {
	Account string    `json:"account"`
	Volume  id.Volume `json:"volume"`
	Want    Want      `json:"want"` // Present or Gone
}

// BlockReport is what a blockstore sees.
type BlockReport struct {
	Volumes   map[id.Volume]VolumeSeen     `json:"volumes"`
	Exports   map[id.Volume]ExportSeen     `json:"exports"`
	Snapshots map[id.Snapshot]SnapshotSeen `json:"snapshots"`
	Store     map[string]Store             `json:"store"` // one record, under the zone's name
}

// BlockState is what a blockstore sees of a volume or a snapshot.
type BlockState string

const (
	BlockPending BlockState = "pending" // being made
	BlockReady   BlockState = "ready"   // a volume can be served; a snapshot is whole in walrus
	BlockGone    BlockState = "gone"    // nothing of it is left
	BlockBroken  BlockState = "broken"  // it cannot be had: see Reason
)

// VolumeSeen is what blockstore sees of a volume.
type VolumeSeen struct {
	State  BlockState  `json:"state"`
	Reason string      `json:"reason,omitempty"`
	Flow   life.Status `json:"flow"`
}

// ExportSeen is a volume that is being served.
type ExportSeen struct {
	Node    string      `json:"node"`
	Epoch   uint64      `json:"epoch"`
	Address string      `json:"address"` // host:port
	Name    string      `json:"name"`    // vol-.../epoch
	Flow    life.Status `json:"flow"`
}

// SnapshotSeen is what blockstore sees of a snapshot.
type SnapshotSeen struct {
	State   BlockState  `json:"state"`
	Frozen  time.Time   `json:"frozen,omitzero"` // the instant whose bytes it has
	Percent int         `json:"percent"`         // of what is to be written
	Reason  string      `json:"reason,omitempty"`
	Flow    life.Status `json:"flow"`
}

// Store is what a blockstore says of itself.
type Store struct {
	TotalGiB int    `json:"totalGiB"`
	FreeGiB  int    `json:"freeGiB"`
	Trouble  string `json:"trouble,omitempty"`
}

package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// RunInstancesInput holds the parameters of RunInstances that Karri honours.
type RunInstancesInput struct {
	BlockDeviceMappings               []BlockDeviceMapping // the root disk's size; further volumes
	ClientToken                       *string              // a repeat with the same token returns the same reservation
	DisableApiStop                    *bool
	DisableApiTermination             *bool
	IamInstanceProfile                *IamInstanceProfileSpecification // its role is what the instance may do
	ImageId                           *string
	InstanceInitiatedShutdownBehavior *string
	InstanceType                      *string
	KeyName                           *string
	MaintenanceOptions                *MaintenanceOptionsRequest
	MaxCount                          int
	MetadataOptions                   *MetadataOptionsRequest
	MinCount                          int
	NetworkInterfaces                 []NetworkInterfaceSpecification
	Placement                         *PlacementRequest
	PrivateIpAddress                  *string
	SecurityGroupIds                  []string
	SecurityGroups                    []string
	SubnetId                          *string // nil: the default subnet of a zone
	TagSpecifications                 []TagSpecification
	UserData                          *string // base64

	placed id.Subnet // the default one that the caller was found to have a right to
}

// BlockDeviceMapping asks for a disk.
type BlockDeviceMapping struct {
	DeviceName *string
	Ebs        *EbsBlockDevice
	NoDevice   *string
}

// EbsBlockDevice says what the disk is like.
type EbsBlockDevice struct {
	DeleteOnTermination *bool
	Encrypted           *bool
	SnapshotId          *string
	VolumeSize          *int
	VolumeType          *string
}

// MaintenanceOptionsRequest says what to do when a host fails.
type MaintenanceOptionsRequest struct{ AutoRecovery *string }

// MetadataOptionsRequest says how the metadata service is to answer.
type MetadataOptionsRequest struct {
	HttpEndpoint            *string
	HttpPutResponseHopLimit *int
	HttpTokens              *string
}

// NetworkInterfaceSpecification asks for a network interface.
type NetworkInterfaceSpecification struct {
	AssociatePublicIpAddress *bool
	DeleteOnTermination      *bool
	Description              *string
	DeviceIndex              *int
	Groups                   []string
	PrivateIpAddress         *string
	SubnetId                 *string
}

// PlacementRequest says where an instance shall be.
type PlacementRequest struct {
	AvailabilityZone *string
	Tenancy          *string
}

var _ = action.Add(Catalog, action.Def[*API, RunInstancesInput, Reservation]{
	Name: "RunInstances",
	Doc:  "Starts new instances of an image.",
	Example: RunInstancesInput{
		ImageId: ptr("ami-1a2b3c4d5e6f70819"), MinCount: 1, MaxCount: 2, InstanceType: ptr("t1.nano"), KeyName: ptr("mine"),
		ClientToken: ptr("4b3c"), SecurityGroupIds: []string{"sg-1a2b3c4d5e6f70819"},
		MetadataOptions: &MetadataOptionsRequest{HttpTokens: ptr("required")},
	},
	On:  on(useLaunch),
	Run: runInstances,
})

// runInstances only writes down what is wanted. The loops do the rest, so a
// crash after the commit loses nothing and a crash before it promised nothing.
func runInstances(ctx context.Context, api *API, who action.Caller, in *RunInstancesInput) (*Reservation, error) {
	spec, err := api.checkLaunch(in)
	if err != nil {
		return nil, err
	}
	var out Reservation
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		made, err := api.once(tx, who, "RunInstances", in.ClientToken, in, func() (string, error) {
			l := &launch{api: api, tx: tx, who: who, in: in, spec: spec}
			r, err := l.run()
			return string(r), err
		})
		if err != nil {
			return err
		}
		rows, err := tx.InstancesOfReservation(who.Account, id.Reservation(made))
		if err != nil {
			return err
		}
		s, err := api.scene(tx, who.Account)
		if err != nil {
			return err
		}
		if all := s.reservations(rows); len(all) == 1 {
			out = all[0]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return &out, nil
}

package config

import "time"

// Default gives the configuration of `kuai run` without a file: the built-in
// arm in simulation, everything on loopback.
func Default() Config {
	return Config{
		Robot: Robot{
			Name: "so101", Description: "so101", Driver: DriverSim,
			Feetech: Feetech{Port: "/dev/ttyACM0", Baud: 1_000_000, Timeout: 5 * time.Millisecond, Joints: []ServoJoint{}},
		},
		Sim: Sim{
			Seed:     1,
			Demo:     "put the red block in the blue bowl",
			World:    Tabletop,
			Realtime: true,
			Camera:   SimCamera{Width: 320, Height: 240, RateHz: 15},
			RTSP:     SimRTSP{Listen: "127.0.0.1:8554"},
		},
		Cameras: []Camera{
			{Name: "front", URL: "rtsp://127.0.0.1:8554/front", Freeze: defaultFreeze},
			{Name: "wrist", URL: "rtsp://127.0.0.1:8554/wrist", Freeze: defaultFreeze},
		},
		Broker:     Broker{Listen: "127.0.0.1:1883"},
		Access:     Access{Users: []User{}},
		Web:        Web{Listen: "127.0.0.1:8080", Hosts: []string{}},
		Control:    Control{RateHz: 100},
		Safety:     defaultSafety(),
		Planner:    defaultPlanner(),
		Affordance: Scripted,
		Runner:     Scripted,
		Policy:     Auto,
		Chunking:   Plain,
		Voice:      defaultVoice(),
		Record:     Record{BudgetGB: 20},
		Log:        Log{Level: "info", Format: "text"},
	}
}

// Values of keys that choose between ways.
const (
	DriverSim     = "sim"
	DriverMQTT    = "mqtt"
	DriverFeetech = "feetech"
	DriverGobot   = "gobot"
	BackendCPU    = "cpu"
	BackendRef    = "ref"
	BackendCUDA   = "cuda"
	// Scripted runs and judges skills by the simulator's state.
	Scripted = "scripted"
	// Learned runs skills by a policy that sees.
	Learned = "learned"
	// None runs and judges no skills: the robot can only be steered.
	None = "none"
	// Plain and RealTime are the ways of chunking.
	Plain    = "plain"
	RealTime = "real-time"
	// Auto takes the built-in adapter where it fits; with None there is none.
	Auto = "auto"
	// BuiltInModel is the language model that the built-in adapter was trained on.
	BuiltInModel = "smollm2-135m-instruct"
	// BuiltInRobot and BuiltInCatalogue are what needs no file.
	BuiltInRobot     = "so101"
	BuiltInCatalogue = "tabletop"
	// Tabletop and Workbench are the worlds of the simulator, and what their
	// catalogues are called.
	Tabletop  = BuiltInCatalogue
	Workbench = "workbench"
)

const defaultFreeze = 2 * time.Second

func defaultPlanner() Planner {
	return Planner{
		Model: BuiltInModel, Backend: BackendCPU, Adapter: Auto, Catalogue: BuiltInCatalogue,
		MaxSteps: 20, MaxSeconds: 180, Retries: 2, Candidates: 5, Remote: defaultRemote(),
	}
}

// defaultSafety repeats safety.DefaultConfig, which this package must not
// import; a test beside the wiring compares the two.
func defaultSafety() Safety {
	return Safety{
		Policy:        Rule{Expiry: 300 * time.Millisecond, MaxAge: time.Second, Speed: 1},
		Skill:         Rule{Expiry: 300 * time.Millisecond, MaxAge: time.Second, Speed: 1},
		Teleop:        Rule{Expiry: 200 * time.Millisecond, MaxAge: 300 * time.Millisecond, Speed: 1},
		MaxStateAge:   100 * time.Millisecond,
		MaxTick:       50 * time.Millisecond,
		Ramp:          2 * time.Second,
		RampFloor:     0.1,
		Recovery:      0.05,
		DerateBand:    10,
		ReleaseAbove:  5,
		StallEffort:   0.95,
		StallVelocity: 0.02,
		StallTime:     500 * time.Millisecond,
		BackOff:       time.Second,
		StallTries:    3,
		StallForget:   10 * time.Second,
		Clearance:     0.01,
	}
}

"""A reject gantry: two axes and a gripper over the belt, its controller in a process of its own."""

BEGIN TRANSACTION;
CREATE TABLE blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT, fault TEXT,
        PRIMARY KEY (epoch, key));
INSERT INTO "blobs" VALUES(1,'19B7878A858ADD868C095707FDB14DE72B2973F62B2A3AAA8ABC57C534FED97A','image/png',1712,'da8da36c17519ec4857f57e790221a5f',3373598520000000,'civitai-1',NULL,'{"jobId":"daae2ae9-a966-4b49-bbee-40b197e6b263"}',NULL);
INSERT INTO "blobs" VALUES(1,'ED44C4BC30CE5315E2D5F6749076E4D046A2C3CB486E4C1D8B299DA4A3FC13B1','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"daae2ae9-a966-4b49-bbee-40b197e6b263","node":"SaveImage","index":1,"content":"blank"}','{"jobId":"daae2ae9-a966-4b49-bbee-40b197e6b263"}',NULL);
INSERT INTO "blobs" VALUES(1,'D952760CC57761A23E5918F2CEA423740DFF42C943BBA1AFCF2DEA236E4B815A','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"c6eadb86-4c1f-429e-9dd4-5e0f67968459","node":"SaveImage","index":0,"content":"blank"}','{"jobId":"c6eadb86-4c1f-429e-9dd4-5e0f67968459"}',NULL);
INSERT INTO "blobs" VALUES(1,'f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg','image/jpeg',0,'',3376190523000000,'civitai-1','{"painter":1,"job":"f172e0a0-1a45-526b-99ac-0ce48d75e717","node":"SaveImage","index":0,"content":"blank","file":{"format":"jpeg","quality":85,"is_lossless":false,"has_metadata":true,"note":null}}','{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}',NULL);
CREATE TABLE counters (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (epoch, key)) WITHOUT ROWID
    ;
INSERT INTO "counters" VALUES(1,'journals',3);
CREATE TABLE ended_epochs (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
        issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0, moved_by TEXT, polls INTEGER NOT NULL DEFAULT 0,
        callback_attempts TEXT, faults TEXT, callback_faults TEXT, UNIQUE (epoch, id));
INSERT INTO "jobs" VALUES(1,1,'daae2ae9-a966-4b49-bbee-40b197e6b263','TextToImageV2','civitai-1','394f3c25-e447-4d65-909a-c930235d47de',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512121000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'4b10380d-7fd5-42c9-b0a3-5497ef074808',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(2,1,'c6eadb86-4c1f-429e-9dd4-5e0f67968459','Comfy','civitai-1','c030f12f-32b4-41ae-83c8-388105c08e0a',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'821f2cf6-f123-4322-911b-d04f658a18e3',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(3,1,'9d212ab7-5e19-47ae-821c-ff63fdc5b570','WDTagging','civitai-1','271a1358-2106-46c3-a9ee-2dadcbdea68f',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(4,1,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'915a6847-1ced-4426-88cb-d7c6d79d80e6',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(5,1,'851181aa-0405-4d12-9528-3e9e6e8246a5','TextToImageV2','civitai-1','87e81480-67dc-4dcf-aba8-e9a73ed5063f',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,1,'8c17a868-2a47-4897-9080-31bde42d0ecd','TextToImageV2','civitai-1','eb93f290-44ef-4c9f-8359-dadf2dea204a',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,1,'f0a87c09-61ee-4c9a-9e65-032499c79808','TextToImageV2','civitai-1','eb93f290-44ef-4c9f-8359-dadf2dea204a',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(8,1,'0e8d38d0-e228-466b-a430-bbe313272c6e','TextToImageV2','civitai-1','14ede6ae-921d-4916-8c57-60e5294a8224',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(9,1,'d0dff223-d73d-51f9-9063-b750c77656da','TextToImageV2','civitai-1','42b07c8c-e08c-5d1d-9d35-d2aa55decc9e',2.56000000000000049737e+00,0,-10,3373512126000000,3373598526000000,3376190526000000,'[["d0dff223-d73d-51f9-9063-b750c77656da-0.jpg",7,false,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"d0dff223-d73d-51f9-9063-b750c77656da","workflowId":"1-20761125064206000"}]]',0,3373512126000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
CREATE TABLE "jobs announcements" (
        workflow INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (workflow, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs announcements" VALUES(1,0,3373512123000000,'[0,"workflow","","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,1,3373512123000000,'[0,"step","$0","unassigned"]');
INSERT INTO "jobs announcements" VALUES(1,2,3373512123000000,'[0,"workflow","","processing"]');
INSERT INTO "jobs announcements" VALUES(1,3,3373512123000000,'[0,"step","$0","processing"]');
INSERT INTO "jobs announcements" VALUES(1,4,3373512123000000,'[0,"step","$0","succeeded"]');
INSERT INTO "jobs announcements" VALUES(1,5,3373512123000000,'[0,"workflow","","succeeded"]');
CREATE TABLE "jobs deliveries" (
        workflow INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, due_at INTEGER,
        told INTEGER NOT NULL DEFAULT -1, failures INTEGER NOT NULL DEFAULT 0, attempts TEXT, faults TEXT);
INSERT INTO "jobs deliveries" VALUES(1,1,5,3373512123971554,-1,1,'[[0,3373512123000000,null,"connection refused: nothing listens at this port"]]',NULL);
CREATE TABLE "jobs fleet costs" (
        epoch INTEGER NOT NULL, id TEXT NOT NULL, began_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
        body TEXT NOT NULL, PRIMARY KEY (epoch, id)) WITHOUT ROWID
    ;
INSERT INTO "jobs fleet costs" VALUES(1,'job/daae2ae9-a966-4b49-bbee-40b197e6b263',3373512120000000,3373512120000000,'{"id":"job/daae2ae9-a966-4b49-bbee-40b197e6b263","provider":"serverless","began_at":"2076-11-25T06:42:00+00:00","ended_at":"2076-11-25T06:42:00+00:00","billed":6000,"pictures":2,"per_picture":3000,"job_id":"daae2ae9-a966-4b49-bbee-40b197e6b263","properties":{"userId":7}}');
CREATE TABLE "jobs fleets" (
        epoch INTEGER PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL);
INSERT INTO "jobs fleets" VALUES(1,1,'{"note":"a fleet that was kept"}');
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795739173593934);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3D1643500031D43341AA331916261949A949A966C9A6C82BFF10A328950FB15DD36189FA0AD1437612A402D1E321AB2BA86785BB283D643A434CA4C920C0D8C2D0C5274CDD3524C754D8C922D75930C128D754D4D2CCD53D30CCC4D2C0C2CD01B6EB8DA6D38DB47C08004359070B76AC90C4A250303DDA4248314F3A4448B242373530B53238BB4C454238324E3240B131303B324F3145D0BF364434B630BA0708A91B19971B2AE8101306750A1658C275981DA82B46F2B20B7110D0C0D4C4D41CD0503F47622AD9B0B6626C07207DE5A00F3501A0B46846A698AEAE84485B47C60098A5251136C1F52B59590A890920FAC564973C100360F40D53FAC55008A2CAA360A50827EB421404643202511585225A65AEA265A9A99E99A2499000BE4A4D4545D1383244360916C966464664C5A430018C7D4EA97C2F21A968E2768640DB3E3091225BACD484E531B315A40CC1004356B3BA4510AD0A8016894C2CCCCD00C260C12C33F2841AF710B4235A4522DB0362C2D4E2DF2047AC11C38E491980E1CFB8856AA508AAD0500',1795739173607068);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795739173606025);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9906261949A949A966C9A6C42615395480B08B74DC0D5AD1259AD505D43BCCD503A3A919436928591619A51729A996E1A303DE89A181B19E95A1A1A26E9A61898A499995A241A5AA41A63B4A3486D62028306D45EC1DDC8343400031D749A4092513230D04D33324F4D34B6303548354FB6484AB24C062660C3540B93B46443E3545393345D43E334430BF3E4240BB3E4348344D3145D0303604225A6A18A3F31809A5F23A27A363301E67378ED0CE6D1B1724E54C801B50B32F24B8B5315F281CD6A854405609BAD28B752A138355121B144210F24AFA3909F99A35090082C48C1BD6CD48A14B31188ADA4A76A5D9E94535A5454A9A390935FAE5008EC8167965492E7AAE15FB1A334AF472B73322AF3648B447303E0709D6E6A92A1A1AE897992B16EA279A2A56EB2B139B0E833334D364C3525AD3207E61F6AF52D413D4D7DE48E86859181A5853EB09F618AD6D100371F477B9818CD7BC4080531C31ED4ACD2914646402315889111C8B804480CFF4008EDC64A406D0594E112422D01A55AAEEA5A00',1795739173615484);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795739173615359);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9906261949A949A966C9A6C42615395480B08B74DCA5D4212D3D381ED7448970D67A392261682EA74DC0D31A2AC543230D0354C33304833334FB6484B4D4C33344A3634374E32344CB14C36320516ED4946BA86E64689261640F994C424537333335D030360D411D37443040F4A4385908D4AB55CD5B500',1795739173617102);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795739173793594);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE9906261949A949A966C9A6C42615395480B286E9B54809A3264B450750DF136510789F349695B591A9A269A599898EB1A26A7A6E89A981899E95A582427E9A698279BA5985BA65818A49AA1B7BF8C486D9A02830DD4CEC1DD38252AE0940C0C74538C2C4D9352530C0C8C0D8C922CCD128D8C1293938C934D0D93CC928C8D8C13754D2C4C8D532D932D815E3249344E49D635300026672A3467F1241950038EF6153C72C3CEC0D0C0D41454C71BA037EE685DC71B1A1899008B0B78250FE5D3B1964F5448CB07167DE4D7B0C3B2AA27AA820755E0A3F5FAD0A8D7D30CCD8D520D120D740D134D4C754D8DCC92742D2D1381E55972AA89458AB969AAB9A139A9F5FA40550C58FAE56666866603DD2F27549928D57255D70200',1795739173848192);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795739174039713);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795739174042022);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795739174042057);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795739174043271);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A06B696A689968969A68686A99666E6C606498666C9862986C91666E6E6001725D9A85A9A181496A8AA161AAA5858581B1AE8101D09AEA5A200200',1795739174045223);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795739174048298);
CREATE TABLE "jobs leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES(1,'03517b531670bfdaabdc65f7eeed1317',3373512120000000,'394f3c25-e447-4d65-909a-c930235d47de','daae2ae9-a966-4b49-bbee-40b197e6b263');
INSERT INTO "jobs leaves" VALUES(1,'15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'394f3c25-e447-4d65-909a-c930235d47de','daae2ae9-a966-4b49-bbee-40b197e6b263');
CREATE TABLE "jobs named jobs" (
        epoch INTEGER NOT NULL, job TEXT NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (epoch, job, position)) WITHOUT ROWID
    ;
INSERT INTO "jobs named jobs" VALUES(1,'851181aa-0405-4d12-9528-3e9e6e8246a5',1795739174053612);
CREATE TABLE "jobs namespace events" (
        position INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, feed_position INTEGER NOT NULL, key TEXT NOT NULL,
        type TEXT NOT NULL, at INTEGER NOT NULL, job_ids TEXT, body TEXT NOT NULL, keep_until INTEGER NOT NULL,
        UNIQUE (epoch, key));
INSERT INTO "jobs namespace events" VALUES(1795739174053612,1,1795739174048298,'spot-1/1','pod_booting',3373512126000000,'["851181aa-0405-4d12-9528-3e9e6e8246a5"]','{"podId":"spot-1","provider":"spot","estimatedTime":270.0}',3373598526000000);
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-bb0d7ba8b2758528fae20b3b84406b7d-87c1938ae2d2363c-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-f27ea3850e7c8bb9c2341e84fc13e54f-13f187cb86cf0a5d-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-1f00f67c8feaf12c173b11d9c25713b2-172a48c8fdab5766-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-d295bed00302b96a22acb3c51b6b323a-4853e9c98474a3dc-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-a350766521c7cdf794dffc8b28064c85-dc53e149ff4d6c4f-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-113a8c383194be3f6e01974ea81ea0d1-5902da09ee6e1ac9-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-113a8c383194be3f6e01974ea81ea0d1-5902da09ee6e1ac9-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["8c17a868-2a47-4897-9080-31bde42d0ecd"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-9519a6ea159f73021f31d1c8f7708567-f85104ed11e98803-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-6ee447e9be950d2f172e6a4961869a77-a5258fdd898c1ab0-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
CREATE TABLE "jobs tags" (
        epoch INTEGER NOT NULL, owner TEXT NOT NULL, tag TEXT NOT NULL, born INTEGER NOT NULL,
        workflow TEXT NOT NULL, PRIMARY KEY (epoch, owner, tag, born, workflow)) WITHOUT ROWID
    ;
INSERT INTO "jobs tags" VALUES(1,'civitai-1','a',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512123000000,'1-20761125064203000');
INSERT INTO "jobs tags" VALUES(1,'civitai-1','b',3373512126000000,'1-20761125064206000');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE "jobs workflows" (
        number INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, external_id TEXT,
        created_at INTEGER NOT NULL, keep_until INTEGER NOT NULL, version INTEGER NOT NULL,
        is_over INTEGER NOT NULL, is_listed INTEGER NOT NULL, has_failed INTEGER NOT NULL, is_deleted INTEGER NOT NULL,
        blue INTEGER NOT NULL, green INTEGER NOT NULL, yellow INTEGER NOT NULL, fake_red INTEGER NOT NULL,
        search TEXT, body TEXT NOT NULL, UNIQUE (epoch, id));
INSERT INTO "jobs workflows" VALUES(1,1,'1-20761125064203000','civitai-1','one',3373512123000000,3376104123000000,3,1,1,0,0,8,0,0,0,'who
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-d295bed00302b96a22acb3c51b6b323a-4853e9c98474a3dc-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":746212705,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,1,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,2,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-6ee447e9be950d2f172e6a4961869a77-a5258fdd898c1ab0-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":2292810323,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
CREATE TABLE leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE namespaces (
        name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, changed INTEGER NOT NULL, used_at INTEGER NOT NULL,
        is_deleted INTEGER NOT NULL, document TEXT NOT NULL) WITHOUT ROWID
    ;
INSERT INTO "namespaces" VALUES('',0,0,0,0,'{}');
INSERT INTO "namespaces" VALUES('default',1,0,0,0,'{}');
CREATE TABLE processes (
        id TEXT PRIMARY KEY, revision INTEGER NOT NULL, seen_at INTEGER NOT NULL) WITHOUT ROWID
    ;
CREATE TABLE "resources" (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        identity TEXT NOT NULL, search TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (epoch, key));
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','@civitai/128713','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','@civitai/130072','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','@civitai/87153','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','@civitai/9208','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','@civitai/311162','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','@civitai/128078','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','@civitai/135867','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','@civitai/290640','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','@civitai/889818','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','@civitai/1116447','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','@civitai/691639','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES(0,'urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','@civitai/937698','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'8C469C76E11C47E99E5A53DE299F921C01A446ADF86FC9204733832C0CBC4897');
CREATE INDEX "jobs to claim" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by IS NOT 'REQUESTS'
    ;
CREATE INDEX "jobs to claim by time" ON "jobs" (epoch, priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0 AND moved_by = 'TIME'
    ;
CREATE INDEX "jobs by worker" ON "jobs" (epoch, worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (epoch, lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (epoch, expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (epoch, id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (epoch, created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs"
    (epoch, issued_by, created_at, submission_id, id, type)
    ;
CREATE INDEX "jobs by charge" ON "jobs" (epoch, issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by kept charge" ON "jobs" (epoch, issued_by, cost) WHERE charged = 2;
CREATE INDEX "jobs by end" ON "jobs" (epoch, changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (epoch, callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (epoch, keep_until);
CREATE UNIQUE INDEX "jobs jobEvent by position" ON "jobs jobEvent" (position)
    WHERE position IS NOT NULL
    ;
CREATE UNIQUE INDEX "jobs workflows by external id" ON "jobs workflows"
    (epoch, owner, external_id) WHERE external_id IS NOT NULL
    ;
CREATE INDEX "jobs workflows by age" ON "jobs workflows"
    (epoch, owner, created_at, id, has_failed) WHERE is_listed = 1
    ;
CREATE INDEX "jobs workflows that run" ON "jobs workflows" (epoch, id)
    WHERE is_over = 0 AND is_deleted = 0
    ;
CREATE INDEX "jobs workflows by charge" ON "jobs workflows"
    (epoch, owner, blue, green, yellow, fake_red)
    ;
CREATE INDEX "jobs workflows to sweep" ON "jobs workflows" (epoch, keep_until);
CREATE INDEX "jobs to announce" ON "jobs deliveries" (epoch, due_at)
    WHERE due_at IS NOT NULL
    ;
CREATE INDEX "jobs namespace events to sweep" ON "jobs namespace events" (epoch, keep_until)
    ;
CREATE INDEX "jobs fleet costs by end" ON "jobs fleet costs" (epoch, ended_at, id);
CREATE INDEX "resources by version" ON "resources" (epoch, source, version, key);
CREATE INDEX "resources by model" ON "resources" (epoch, source, id, key);
CREATE INDEX "resources by identity" ON "resources" (epoch, identity);
CREATE INDEX [blobs to sweep] ON blobs (epoch, keep_until);
CREATE INDEX [namespaces by change] ON namespaces (changed);
CREATE INDEX [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0;
CREATE INDEX [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1;
CREATE INDEX [leases by end] ON leases (until);
COMMIT;
PRAGMA user_version = 14;

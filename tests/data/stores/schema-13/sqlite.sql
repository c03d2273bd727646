BEGIN TRANSACTION;
CREATE TABLE blobs (
        epoch INTEGER NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, size INTEGER NOT NULL,
        etag TEXT NOT NULL, keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT, fault TEXT,
        PRIMARY KEY (epoch, key));
INSERT INTO "blobs" VALUES(1,'D0577BA947684769BC11825E6543482491FE008DE47BB49ABEC4E27BB4BEADB2','image/png',1712,'1355be909ad580bd07a9ffb9b227d061',3373598520000000,'civitai-1',NULL,'{"jobId":"91db5c68-5286-4b35-bdce-ecf36ca924b9"}',NULL);
INSERT INTO "blobs" VALUES(1,'716676EB22B39A5DCAD1783EDD30DA90508512302245239BE0B3B57707A3C878','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"91db5c68-5286-4b35-bdce-ecf36ca924b9","node":"SaveImage","index":1,"content":"blank"}','{"jobId":"91db5c68-5286-4b35-bdce-ecf36ca924b9"}',NULL);
INSERT INTO "blobs" VALUES(1,'93F41E5E91DDE972C99B3650A6FE8ADBBF2EEAA2E6969F59665AE7C24C13AEEB','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"8920240f-cc4c-4009-a1f0-5a5b682692d6","node":"SaveImage","index":0,"content":"blank"}','{"jobId":"8920240f-cc4c-4009-a1f0-5a5b682692d6"}',NULL);
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
INSERT INTO "jobs" VALUES(1,1,'91db5c68-5286-4b35-bdce-ecf36ca924b9','TextToImageV2','civitai-1','81ba825f-5ae0-4341-b182-908e0316514e',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'ec89e408-4ac2-4215-b641-a7faeed6ffc3',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(2,1,'8920240f-cc4c-4009-a1f0-5a5b682692d6','Comfy','civitai-1','62133c86-f687-4ca5-bfa0-2f798d5214b3',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'c0142795-27b6-4c07-acea-837bc873f348',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(3,1,'3f2a11aa-50a0-4149-8f11-5a71d851ae72','WDTagging','civitai-1','3fda273c-8776-4e8e-b4dc-573d913e50e4',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(4,1,'f172e0a0-1a45-526b-99ac-0ce48d75e717','TextToImageV2','civitai-1','f40a0527-0a28-5f9f-953b-974046aac3f4',2.56000000000000049737e+00,0,-10,3373512123000000,3373598523000000,3376190523000000,'[["f172e0a0-1a45-526b-99ac-0ce48d75e717-0.jpg",7,true,null,{"width":1024,"height":1024,"nsfwLevel":"pg","jobId":"f172e0a0-1a45-526b-99ac-0ce48d75e717","workflowId":"1-20761125064203000"}]]',4,3373512123000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'5efcfaa6-fb75-4fde-b9c4-2354dcccf2a6',0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(5,1,'ec541359-8cd9-4e4c-87d5-456142ccd767','TextToImageV2','civitai-1','3e05ff8a-41e1-410a-9ee8-fd5fb212bbd7',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512124000000,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(6,1,'8d1e8742-884e-4e96-94db-5e75ec8e4f5b','TextToImageV2','civitai-1','836cf5d8-7f1c-4c7d-80a9-b3dd46cf1634',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(7,1,'5c9fec9f-08e4-4dbf-8f4b-333f0f5303ff','TextToImageV2','civitai-1','836cf5d8-7f1c-4c7d-80a9-b3dd46cf1634',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',0,3373512124000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
INSERT INTO "jobs" VALUES(8,1,'7de00ee5-392a-4ece-b182-e5cd91366130','TextToImageV2','civitai-1','6c1f3b9b-e5b7-46e0-a99f-c055916c306c',0.002,1,0,3373512125000000,3373598525000000,3373598525000000,'[[null,7,false]]',1,3373512125000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0,NULL,0,NULL,NULL,NULL);
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
INSERT INTO "jobs deliveries" VALUES(1,1,5,3373512123669722,-1,1,'[[0,3373512123000000,null,"connection refused: nothing listens at this port"]]',NULL);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, position INTEGER,
        PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,0,X'',1795737824373083);
INSERT INTO "jobs jobEvent" VALUES(1,4,X'C3DE643500361B4010ADE9606602CCEA296906C9E6A9E694355589B480E2B64905A82943460B55D7106F137590389F94B6556AB28565AA898185AE4962B291AE8991A1A96E929989A16EA2795A22B054304B4B4B36466F7FE16A7EE16CE600830DD4CEC1DD38252AE0940C0C744D8D930CCCCC8D53134D52CD8CCCCD2DD28C8D4CD30C1293522D4D922D2C12CD750D2D0DD252CC5353532D525252539312750D0C80C9990ACD593C4906D480A37D058FDCB0333034303505D5F106E88D3B5AD7F16626C0C2025EC583792835BC11A1AA95A28A3551212D1F58ECA1D4AE041B7554ADDA131552F2817521692E18C03A1D5467C3AA72506451B5264709FAD1DA9B8CDADBD23025C934D9CC42D7D4C8C24CD724C91858FCA624A7EAA626A7199B25275A1A99245992567B03E3985A9D49585EC3D25B040D8761F61641A24437F4C8691F23BAF8C48C1B50B36E431A5A0075F541430B6666866630619018FE91047A0D3610AA21956A81B56169716A9127D00BE6C0718AC474E08045B45285526C2D00',1795737824396787);
INSERT INTO "jobs jobEvent" VALUES(2,0,X'',1795737824407462);
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C3DE643500361B4010ADE9606602CCEA296906C9E6A9E694355589B48070DB045CDD2A91D50AD535C4DB0CA5A313496923251B189A18995B9AEA1A99279901938181B92EB0FD91A86B616C9E946C616E9C666C6281D18E22B589090C1A507B057723D3D0000C74D069024946C9C040D72C39CDD432D1D8D8322531C502C8323249333037B04831354F36B0B0B430D64D34334F34344F364A36353334B34C33D23530002654621AAAF81303A8F93522AA673313603E87D7CE601E1D2BE744851C50BB2023BFB43855211FD8AC56485400B6D98A722B158A531315124B14F240F23A0AF999390A0589C08214DCCB46AD48311B81D84A7AAAD6E54939A54545953A0A39F9E50A85C01E7866492579AE1AFE153B4AF37AB43227A3324FB6483437000ED7E9A626191AEA9A9827018B3DF3444BDD6463730BF36433D364C35453D22A7360FEA156DF12D4D3D447EE68581819585AE803FB19A6681D0D70F371B48789D1BC478C501033EC41CD2A1D6964043452811819818C4B80C4F00F84D06EAC04D45640192E21D41250AAE5AAAE0500',1795737824447876);
INSERT INTO "jobs jobEvent" VALUES(3,0,X'',1795737824440193);
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE9606602CCEA296906C9E6A9E694355589B48070DBA4DC2524313D1DD84E8774D970362A696221A84EC7DD1023CA4A250303DDD4A454CB644B73B3446303E36483442313CB648BE46443033353A090A1A5A96E92655A9A9185616A5A729A419A79AA99AE810130EA8869BA218207A5A142C846A55AAEEA5A00',1795737824449760);
INSERT INTO "jobs jobEvent" VALUES(4,0,X'',1795737825588135);
INSERT INTO "jobs jobEvent" VALUES(4,4,X'C3DE643500361B4010ADE9606602CCEA296906C9E6A9E694355589B480E2B64905A82943460B55D7106F137590389F94B695696A5A725A62A2996E5A92B9A9AE491A30F92459269B00938FA9494A7272729A51A2197AFBCB88D4A62930D840ED1CDC8D53A2024EC9C040373129CD2CD53CC5C8D2D02009D861B54C32494931B2304E494C494CB64C3105E6028B64A334CB449394C44493D44473435D03036072A64273164F920135E0685FC12337EC0C0C0D4C4D4175BC017AE38ED675BCA1819109B0B88057F2503E1D6BF94485B47C60D1477E0D3B2CAB7AA22A7850053E5AAF0F8D7A3DCDD0DC28D520D140D730D1C454D7D4C82C49D7D2323159D72039D5C422C5DC34D5DCD09CD47A7DA02A062CFD72333343B381EE9713AA4C946AB9AA6B01',1795737825740971);
INSERT INTO "jobs jobEvent" VALUES(5,0,X'',1795737826549169);
INSERT INTO "jobs jobEvent" VALUES(6,0,X'',1795737826552164);
INSERT INTO "jobs jobEvent" VALUES(7,0,X'',1795737826552226);
INSERT INTO "jobs jobEvent" VALUES(8,0,X'',1795737826554041);
INSERT INTO "jobs jobEvent" VALUES(8,1,X'8B06D54B2EA939C0C203D494080C750D0535250D80105C7B4329484D6E60A09B669E68946A9C66619E686A91966C6A9192646C6C6694989C9298626E669862A26B686168646069626A6A9A689E6A6264A66B6000B4A6BA168800',1795737826577703);
INSERT INTO "jobs jobEvent" VALUES(9,0,X'',1795737826580121);
CREATE TABLE "jobs leaves" (
        epoch INTEGER NOT NULL, leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL,
        job TEXT NOT NULL, PRIMARY KEY (epoch, leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES(1,'03517b531670bfdaabdc65f7eeed1317',3373512120000000,'81ba825f-5ae0-4341-b182-908e0316514e','91db5c68-5286-4b35-bdce-ecf36ca924b9');
INSERT INTO "jobs leaves" VALUES(1,'15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'81ba825f-5ae0-4341-b182-908e0316514e','91db5c68-5286-4b35-bdce-ecf36ca924b9');
CREATE TABLE "jobs named jobs" (
        epoch INTEGER NOT NULL, job TEXT NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (epoch, job, position)) WITHOUT ROWID
    ;
INSERT INTO "jobs named jobs" VALUES(1,'ec541359-8cd9-4e4c-87d5-456142ccd767',1795737826581629);
CREATE TABLE "jobs namespace events" (
        position INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, feed_position INTEGER NOT NULL, key TEXT NOT NULL,
        type TEXT NOT NULL, at INTEGER NOT NULL, job_ids TEXT, body TEXT NOT NULL, keep_until INTEGER NOT NULL,
        UNIQUE (epoch, key));
INSERT INTO "jobs namespace events" VALUES(1795737826581629,1,1795737826580121,'spot-1/1','pod_booting',3373512126000000,'["ec541359-8cd9-4e4c-87d5-456142ccd767"]','{"podId":"spot-1","provider":"spot","estimatedTime":270.0}',3373598526000000);
CREATE TABLE "jobs places" (
        workflow INTEGER NOT NULL, job INTEGER NOT NULL, PRIMARY KEY (workflow, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs places" VALUES(1,4);
INSERT INTO "jobs places" VALUES(2,9);
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-53b0673ea4e62778f325f0abe94c88a7-190fd7eee8ddeeba-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-6cf59a339dad859a24f0708d57c08983-a67a17c2c56169f2-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-ebe9c976a303c0a249c8cc10656a3195-b9ff281efcf0f7e6-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-abf6e7d2910befa9b4dd283dadac9d57-88c2f9a4daa4ea71-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064203000",0,0,0]}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-4455a76bfe93c5153bd6401350681043-40382f582e3d8787-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-154b84ba0303652ddff3bbb11324f958-13298626a3f42c50-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-154b84ba0303652ddff3bbb11324f958-13298626a3f42c50-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["8d1e8742-884e-4e96-94db-5e75ec8e4f5b"]}');
INSERT INTO "jobs requests" VALUES(8,'{"trace_id":"00-f7a2e3f87a58fc58db3362acdad761d4-1812094555a7e426-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(9,'{"trace_id":"00-68ecdfc5058b6d066d4c3f2c3bc00e6d-7a21c66887213c62-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox","scheduler":"Euler","steps":20,"cfgScale":7,"width":1024,"height":1024,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1,"file":{"format":"jpeg","quality":85,"isLossless":false,"hasMetadata":true}},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"workflow":["1-20761125064206000",0,0,0]}');
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
a fox','{"id":"1-20761125064203000","owner":"civitai-1","trace_id":"00-abf6e7d2910befa9b4dd283dadac9d57-88c2f9a4daa4ea71-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:03+00:00","keep_until":"2076-12-25T06:42:03+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3825220375,"jobs":["f172e0a0-1a45-526b-99ac-0ce48d75e717"],"ready_at":"2076-11-25T06:42:03+00:00"}],"callbacks":[["http://127.0.0.1:9/hook?workflow=1",["workflow:*","step:*"],false]],"external_id":"one","tags":["a","b"],"metadata":{"who":"a fox"},"allow_mature_content":false,"transactions":[["debit",8,"blue","3bd4e4d4-f358-5997-8be8-9e1d7baa093f"]],"memo":["succeeded","2076-11-25T06:42:03+00:00","2076-11-25T06:42:03+00:00","pg",[]]}');
INSERT INTO "jobs workflows" VALUES(2,1,'1-20761125064206000','civitai-1','two',3373512126000000,3376104126000000,2,0,1,0,0,8,0,0,0,NULL,'{"id":"1-20761125064206000","owner":"civitai-1","trace_id":"00-68ecdfc5058b6d066d4c3f2c3bc00e6d-7a21c66887213c62-00","base_url":"http://mock.test:3000","created_at":"2076-11-25T06:42:06+00:00","keep_until":"2076-12-25T06:42:06+00:00","upgrade_mode":"automatic","tips":[0,0],"steps":[{"name":"$0","type":"imageGen","input":{"engine":"sdcpp","ecosystem":"sdxl","operation":"createImage","width":1024,"height":1024,"prompt":"a fox","sampleMethod":"euler","schedule":"discrete","steps":20,"cfgScale":7,"seed":7,"quantity":1,"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","loras":{},"embeddings":[],"uCache":"off","outputFormat":"jpeg"},"priority":"low","factors":{"base":8,"pixels":1.0,"steps":1.0,"quantity":1},"seed":3662914604,"jobs":["d0dff223-d73d-51f9-9063-b750c77656da"],"ready_at":"2076-11-25T06:42:06+00:00"}],"external_id":"two","tags":["b"],"allow_mature_content":false,"transactions":[["debit",8,"blue","b7c05d46-c694-5cef-b462-ce94063d1c66"]]}');
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
INSERT INTO "secrets" VALUES('blob-urls',X'029215637ABE5A30470263D0E8B6EBA9E16FA73B2939581913AF9B852CB49667');
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
CREATE INDEX "resources by version" ON "resources" (epoch, source, version, key);
CREATE INDEX "resources by model" ON "resources" (epoch, source, id, key);
CREATE INDEX "resources by identity" ON "resources" (epoch, identity);
CREATE INDEX [blobs to sweep] ON blobs (epoch, keep_until);
CREATE INDEX [namespaces by change] ON namespaces (changed);
CREATE INDEX [namespaces by use] ON namespaces (used_at) WHERE is_deleted = 0;
CREATE INDEX [namespaces that are deleted] ON namespaces (changed) WHERE is_deleted = 1;
CREATE INDEX [leases by end] ON leases (until);
COMMIT;
PRAGMA user_version = 13;
